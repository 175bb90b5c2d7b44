"""
Lists of jobs: what a query may say, and the cursors to go on with.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import urlencode

from api.http.likely import no_such
from api.http.query_params import read_limit, unusable
from api.http.timestamps import read_query_time
from api.lookup import BATCH_ID, JOB_ID
from generation.job import Job, JobState
from generation.store import JobFilters

TIMES = ("created_after", "created_before", "updated_after", "updated_before")
PARAMETERS = ("state", "provider", "operation", "station", *TIMES, "parent", "batch")
PAGING = ("limit", "cursor")
METADATA = "metadata."
#: Entries of metadata that one query may name.
MOST_METADATA = 5

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
#: A direction and a job: `b` for what comes after it in the list, `a` for what comes before.
_CURSOR = re.compile(r"([ab])(job_[0-9A-HJKMNP-TV-Z]{26})")


@dataclass(frozen=True, slots=True)
class Query:
    """A page of a list: which jobs, how many, and where in the list."""

    filters: JobFilters
    limit: int
    #: The page right after this job, or right before that one; neither for the first page.
    before: str | None
    after: str | None
    #: What was asked for, to be asked for again with another cursor.
    given: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What a query found, and the cursors to both sides."""

    jobs: Sequence[Job]
    next_cursor: str | None
    prev_cursor: str | None
    query: Query

    @classmethod
    def of(cls, query: Query, found: Sequence[Job]) -> Self:
        """`found` has one job more than the limit where there are more in that direction."""
        more = len(found) > query.limit
        if query.after is None:
            jobs = found[: query.limit]
            newer, older = query.before is not None, more
        else:
            jobs = found[1:] if more else found
            newer, older = more, True
        return cls(
            jobs=jobs,
            next_cursor=cursor("b", jobs[-1].id) if jobs and older else None,
            prev_cursor=cursor("a", jobs[0].id) if jobs and newer else None,
            query=query,
        )

    def links(self, url: str) -> str:
        """The `Link` header of RFC 8288; empty where there is no other page."""
        found = (("next", self.next_cursor), ("prev", self.prev_cursor))
        return ", ".join(
            f'<{url}?{urlencode([*self.query.given, ("cursor", each)])}>; rel="{rel}"'
            for rel, each in found
            if each is not None
        )


def read_query(parameters: Sequence[tuple[str, str]]) -> Query:
    """Raises `Problem` (400) that names the parameter and what it may be."""
    given = by_name(parameters)
    times = {name: read_time(given, name) for name in TIMES}
    direction, job_id = read_cursor(given.get("cursor"))
    return Query(
        filters=JobFilters(
            state=read_state(given.get("state")),
            provider=read_name(given, "provider"),
            operation=read_name(given, "operation"),
            station=read_name(given, "station"),
            parent=read_id(given, "parent", JOB_ID, "the id of a job"),
            batch=read_id(given, "batch", BATCH_ID, "the id of a batch"),
            metadata=read_metadata(given),
            **times,
        ),
        limit=read_limit(given.get("limit")),
        before=job_id if direction == "b" else None,
        after=job_id if direction == "a" else None,
        given=tuple((name, value) for name, value in given.items() if name != "cursor"),
    )


def by_name(parameters: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        if name not in {*PARAMETERS, *PAGING} and not name.startswith(METADATA):
            known = (*PARAMETERS, f"{METADATA}NAME", *PAGING)
            raise unusable(no_such(f"parameter {name[:60]!r}", name, known))
        if name in given:
            raise unusable(f"{name[:60]} is given twice; give it once")
        given[name] = value
    return given


def read_state(value: str | None) -> JobState | None:
    if value is None:
        return None
    try:
        return JobState(value)
    except ValueError:
        raise unusable(f"state must be one of {', '.join(JobState)}") from None


def read_name(given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not _NAME.fullmatch(value):
        raise unusable(f"{name} must be a name such as those of GET /v1/operations")
    return value


def read_id(given: Mapping[str, str], name: str, form: re.Pattern[str], what: str) -> str | None:
    value = given.get(name)
    if value is not None and not form.fullmatch(value):
        raise unusable(f"{name} must be {what}")
    return value


def read_time(given: Mapping[str, str], name: str) -> datetime | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        return read_query_time(value)
    except ValueError as error:
        raise unusable(f"{name} {error}") from None


def read_metadata(given: Mapping[str, str]) -> Mapping[str, str]:
    found = {
        name.removeprefix(METADATA): value
        for name, value in given.items()
        if name.startswith(METADATA)
    }
    if len(found) > MOST_METADATA:
        raise unusable(f"at most {MOST_METADATA} entries of metadata can be asked for at once")
    if "" in found:
        raise unusable(f"{METADATA} needs the name of an entry, as in {METADATA}customer=42")
    return found


def read_cursor(value: str | None) -> tuple[str, str]:
    """The direction and the job; both empty without a cursor."""
    if value is None:
        return "", ""
    try:
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise unusable("cursor must be the next_cursor or prev_cursor of a page, unchanged")
    return found[1], found[2]


def cursor(direction: str, job_id: str) -> str:
    return base64.urlsafe_b64encode(f"{direction}{job_id}".encode()).decode().rstrip("=")
