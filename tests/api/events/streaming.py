"""Reads server-sent events as a browser does."""

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.api.serving import Caller


@dataclass(frozen=True)
class Frame:
    """One event of a stream."""

    event: str
    id: str | None
    data: dict[str, Any]


def frames(lines: Iterable[str]) -> Iterator[Frame]:
    """Yield the events; skip comments and frames without data."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            yield Frame(fields["event"], fields.get("id"), json.loads(fields["data"]))
        fields = {}


@contextmanager
def streaming(caller: Caller, path: str, last: str | None = None) -> Generator[httpx.Response]:
    headers = {"authorization": f"Bearer {caller.key}", "accept": "text/event-stream"}
    if last is not None:
        headers["last-event-id"] = last
    with caller.api.http.stream("GET", path, headers=headers) as response:
        yield response


def head_of(frame: Frame) -> tuple[str, str | None]:
    return frame.event, frame.id
