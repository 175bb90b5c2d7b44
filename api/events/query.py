"""
What a reader of events may say: after which, of which types, how many, and for how long to wait.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from api.http.likely import no_such
from api.http.query_params import MOST, read_limit, unusable
from api.http.timestamps import read_query_time
from generation.events import FEED_EVENTS

#: A reader is kept waiting for at most this many seconds.
LONGEST_WAIT = 60
#: Where a reader begins that cares only for what is to come.
LATEST = "latest"

PARAMETERS = ("after", "since", "type", "limit", "wait")
STREAM_PARAMETERS = ("after", "since", "type")

_CURSOR = re.compile(r"event:(0|[1-9][0-9]{0,17})")
_SEQUENCE = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """Where to begin (one of three, or none of them), what to read, how long to wait for it."""

    after: int | None
    since: datetime | None
    latest: bool
    types: tuple[str, ...]
    limit: int
    wait: timedelta


def read_feed_query(request: Request, parameters: Sequence[str] = PARAMETERS) -> FeedQuery:
    """Raises `Problem` (400) that names the parameter and what it may be."""
    given = given_once(request, parameters)
    if "after" in given and "since" in given:
        raise unusable("give after, or since, not both")
    name, after = "after", given.get("after")
    since = read_moment(given["since"]) if "since" in given else None
    if parameters is STREAM_PARAMETERS:
        if resumed := request.headers.get("last-event-id"):
            # A browser comes again to the same URL: what it has seen since then counts.
            name, after, since = "Last-Event-ID", resumed, None
        elif after is None and since is None:
            after = LATEST
    return FeedQuery(
        after=None if after is None or after == LATEST else read_cursor(after, name),
        since=since,
        latest=after == LATEST,
        types=read_types(given),
        limit=read_limit(given.get("limit")),
        wait=read_wait(given.get("wait")),
    )


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which part of one job's log: beyond which `sequence`, and how much."""

    after: int
    limit: int


def read_log_query(request: Request) -> LogQuery:
    """Raises `Problem` (400) that names the parameter and what it may be."""
    given = given_once(request, ("after", "limit"))
    return LogQuery(
        read_sequence(given.get("after"), "after"), read_limit(given.get("limit") or str(MOST))
    )


def read_resumed(request: Request) -> int:
    """The `sequence` a job's stream goes on after; 0 at its beginning."""
    given_once(request, ("token",))
    return read_sequence(request.headers.get("last-event-id"), "Last-Event-ID")


def cursor_of(position: int) -> str:
    """A place in the feed as callers get it; they give it back unchanged."""
    return base64.urlsafe_b64encode(f"event:{position}".encode()).decode().rstrip("=")


def given_once(request: Request, parameters: Sequence[str]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in parameters:
            raise unusable(no_such(f"parameter {name[:60]!r}", name, parameters))
        if name in given:
            raise unusable(f"{name} is given twice; give it once")
        given[name] = value
    return given


def read_cursor(value: str, name: str) -> int:
    try:
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    found = _CURSOR.fullmatch(text)
    if not found:
        raise unusable(
            f"{name} must be the next_cursor of an earlier answer or the id of an event of the"
            " stream of events, unchanged"
        )
    return int(found[1])


def read_sequence(value: str | None, name: str) -> int:
    if not value:
        return 0
    if not _SEQUENCE.fullmatch(value):
        raise unusable(f"{name} must be the sequence of an event of this job, a whole number")
    return int(value)


def read_types(given: Mapping[str, str]) -> tuple[str, ...]:
    if "type" not in given:
        return ()
    types = tuple(dict.fromkeys(part.strip() for part in given["type"].split(",")))
    if unknown := set(types) - set(FEED_EVENTS):
        known = ", ".join(FEED_EVENTS)
        raise unusable(
            f"there is no type {min(unknown)[:60]!r}; separate by commas some of {known}"
        )
    return types


def read_moment(value: str, name: str = "since") -> datetime:
    try:
        return read_query_time(value)
    except ValueError as error:
        raise unusable(f"{name} {error}") from None


def read_wait(value: str | None) -> timedelta:
    if value is None:
        return timedelta(0)
    if not re.fullmatch(r"[0-9]{1,2}", value) or int(value) > LONGEST_WAIT:
        raise unusable(f"wait must be a whole number of seconds from 0 to {LONGEST_WAIT}")
    return timedelta(seconds=int(value))
