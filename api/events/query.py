"""Query strings and headers of the event log and of streams."""

import re
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Header
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from api.http.cursors import decode_cursor, encode_cursor
from api.http.query_params import MOST, USUAL, Limit, Query, QueryTime
from generation.events import FEED_EVENTS

#: A long poll waits at most this many seconds.
LONGEST_WAIT = 60
#: The `after` of a reader that wants only events that are still to come.
LATEST = "latest"
#: Where a reader starts: after a position of the feed, at a time, at its end; None: at its start.
Start = int | datetime | Literal["latest"] | None

_CURSOR = re.compile(r"event:(0|[1-9][0-9]{0,17})")
_SEQUENCE = re.compile(r"0|[1-9][0-9]{0,8}")


def cursor_of(position: int) -> str:
    """Return the cursor of a position of the feed."""
    return encode_cursor(f"event:{position}")


def _position(cursor: str) -> int | Literal["latest"] | None:
    if not cursor:
        return None
    if cursor == LATEST:
        return LATEST
    found = decode_cursor(cursor, _CURSOR)
    if found is None:
        raise ValueError(
            "must be the next_cursor of an earlier page or the id of an event of the stream of"
            " events, unchanged"
        )
    return int(found[1])


def _sequence(text: str) -> int | None:
    if not text:
        return None
    if not _SEQUENCE.fullmatch(text):
        raise ValueError("must be the sequence of an event of this job, a whole number")
    return int(text)


def _split(types: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in types.split(",")))


def _known_types(types: str) -> str:
    if unknown := set(_split(types)) - set(FEED_EVENTS):
        known = ", ".join(FEED_EVENTS)
        raise ValueError(
            f"must be some of {known}, separated by commas; there is no type {min(unknown)[:60]!r}"
        )
    return types


def _wait(value: object) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", str(value)) or int(str(value)) > LONGEST_WAIT:
        raise ValueError(f"must be a whole number of seconds from 0 to {LONGEST_WAIT}")
    return int(str(value))


Cursor = Annotated[
    int | Literal["latest"] | None, BeforeValidator(_position), WithJsonSchema({"type": "string"})
]
Sequence = Annotated[int | None, BeforeValidator(_sequence), WithJsonSchema({"type": "string"})]
Wait = Annotated[
    int,
    BeforeValidator(_wait),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT}),
]
_RESUME = Header(
    alias="Last-Event-ID",
    description="The `id` of the last event that was read; browsers send it by themselves.",
)
#: Headers of a stream that is opened again.
LastCursor = Annotated[Cursor, _RESUME]
LastSequence = Annotated[Sequence, _RESUME]


class StreamQuery(Query):
    """Where to start, and which events."""

    after: Cursor = Field(None, description="Start after this cursor.")
    since: QueryTime | None = Field(
        None, description="Start with the events of this time. Not together with `after`."
    )
    type: Annotated[str, AfterValidator(_known_types)] | None = Field(
        None,
        description="Only these events, separated by commas:"
        f" {', '.join(f'`{each}`' for each in FEED_EVENTS)}.",
    )

    @model_validator(mode="after")
    def has_one_start(self) -> "StreamQuery":
        if self.after is not None and self.since is not None:
            raise ValueError("give after, or since, not both")
        return self

    @property
    def start(self) -> Start:
        return self.after if self.since is None else self.since

    @property
    def types(self) -> tuple[str, ...]:
        return _split(self.type) if self.type else ()


class EventQuery(StreamQuery):
    """One page of the feed."""

    after: Cursor = Field(
        None,
        description=f"The `next_cursor` of the page before, or `{LATEST}` to skip all existing"
        " events. Absent: start with the oldest event that is kept.",
    )
    limit: Limit = Field(USUAL, description="Events on one page.")
    wait: Wait = Field(0, description="Seconds to wait for an event if there is none.")


class JobEventQuery(Query):
    """One page of the log of a job."""

    after: Sequence = Field(None, description="The `next_cursor` of the page before.")
    limit: Limit = Field(MOST, description="Events on one page.")


class JobStreamQuery(Query):
    """The token of a browser."""

    token: str | None = Field(
        None, description="Instead of an API key: a token of `POST /v1/jobs/{id}/stream-token`."
    )
