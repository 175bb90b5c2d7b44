"""The query string and the pages of `GET /v1/jobs`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self
from urllib.parse import urlencode

from fastapi import Depends, Request
from pydantic import AfterValidator, Field, PrivateAttr

from api.dependencies import QueryReader
from api.http.cursors import decode_cursor, encode_cursor
from api.http.query_params import (
    USUAL,
    Limit,
    Query,
    QueryTime,
    check_names,
    matching,
    one_of,
    unusable,
)
from api.lookup import BATCH_ID, JOB_ID
from generation.job import Job, JobState
from generation.store import JobFilters

METADATA = "metadata."
#: Entries of metadata in one query.
MAX_METADATA = 5

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
#: A direction and a job: `b` for the jobs after it in the list, `a` for those before it.
_CURSOR = re.compile(r"([ab])(job_[0-9A-HJKMNP-TV-Z]{26})")


def job_cursor(direction: str, job_id: str) -> str:
    return encode_cursor(f"{direction}{job_id}")


def _checked_cursor(cursor: str) -> str:
    if decode_cursor(cursor, _CURSOR) is None:
        raise ValueError("must be the next_cursor or prev_cursor of a page, unchanged")
    return cursor


Name = Annotated[str, matching(_NAME, "a name such as those of GET /v1/operations")]
Cursor = Annotated[str, AfterValidator(_checked_cursor)]


class JobQuery(Query):
    """Which jobs, how many, and where in the list."""

    state: Annotated[JobState, one_of(JobState)] | None = Field(
        None, description="Only jobs in this state."
    )
    provider: Name | None = Field(None, description="Only jobs of this provider.")
    operation: Name | None = Field(None, description="Only jobs of this operation.")
    station: Name | None = Field(None, description="Only jobs bound to this station.")
    created_after: QueryTime | None = Field(
        None, description="Only jobs created at this time or later."
    )
    created_before: QueryTime | None = Field(
        None, description="Only jobs created before this time."
    )
    updated_after: QueryTime | None = Field(
        None, description="Only jobs that changed at this time or later."
    )
    updated_before: QueryTime | None = Field(
        None, description="Only jobs that have not changed since this time."
    )
    parent: Annotated[str, matching(JOB_ID, "the id of a job")] | None = Field(
        None, description="Only jobs that follow this one."
    )
    batch: Annotated[str, matching(BATCH_ID, "the id of a batch")] | None = Field(
        None, description="Only jobs of this batch."
    )
    limit: Limit = Field(USUAL, description="Number of jobs on a page.")
    cursor: Cursor | None = Field(None, description="The `next_cursor` or `prev_cursor` of a page.")
    _metadata: Mapping[str, str] = PrivateAttr(default_factory=dict[str, str])
    _given: tuple[tuple[str, str], ...] = PrivateAttr(())

    @property
    def before(self) -> str | None:
        """The job after which the page begins."""
        return self._job_of_cursor("b")

    @property
    def after(self) -> str | None:
        """The job before which the page ends."""
        return self._job_of_cursor("a")

    @property
    def filters(self) -> JobFilters:
        times: dict[str, datetime | None] = {
            name: getattr(self, name)
            for name in ("created_after", "created_before", "updated_after", "updated_before")
        }
        return JobFilters(
            state=self.state,
            provider=self.provider,
            operation=self.operation,
            station=self.station,
            parent=self.parent,
            batch=self.batch,
            metadata=self._metadata,
            **times,
        )

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """The parameters as they were sent, for the links to other pages."""
        return self._given

    def add(self, parameters: Sequence[tuple[str, str]]) -> Self:
        """Add the parameters as they were sent. Raises `Problem` (400) for unusable metadata."""
        metadata = {
            name.removeprefix(METADATA): value
            for name, value in parameters
            if name.startswith(METADATA)
        }
        if len(metadata) > MAX_METADATA:
            raise unusable(f"at most {MAX_METADATA} entries of metadata can be asked for at once")
        if "" in metadata:
            raise unusable(f"{METADATA} needs the name of an entry, as in {METADATA}customer=42")
        self._metadata = metadata
        self._given = tuple((name, value) for name, value in parameters if name != "cursor")
        return self

    def _job_of_cursor(self, direction: str) -> str | None:
        found = decode_cursor(self.cursor or "", _CURSOR)
        return found[2] if found and found[1] == direction else None


class JobQueryReader(QueryReader):
    """Reads the query string, in which any name may follow `metadata.`."""

    @classmethod
    def dependency(cls) -> Any:
        return Depends(cls(JobQuery))

    async def __call__(self, request: Request, query: Any) -> JobQuery:
        check_names(request.query_params, self.names, prefix=METADATA)
        return query.add(request.query_params.multi_items())


@dataclass(frozen=True, slots=True)
class JobPageResult:
    """The jobs that a query found, and the cursors of the pages around them."""

    jobs: Sequence[Job]
    next_cursor: str | None
    prev_cursor: str | None
    query: JobQuery

    @classmethod
    def of(cls, query: JobQuery, found: Sequence[Job]) -> Self:
        """`found` has one job more than the limit if there are more in that direction."""
        has_more = len(found) > query.limit
        if query.after is None:
            jobs = found[: query.limit]
            newer, older = query.before is not None, has_more
        else:
            jobs = found[1:] if has_more else found
            newer, older = has_more, True
        return cls(
            jobs=jobs,
            next_cursor=job_cursor("b", jobs[-1].id) if jobs and older else None,
            prev_cursor=job_cursor("a", jobs[0].id) if jobs and newer else None,
            query=query,
        )

    def links(self, url: str) -> str:
        """Return the `Link` header of RFC 8288; empty if there is no other page."""
        found = (("next", self.next_cursor), ("prev", self.prev_cursor))
        return ", ".join(
            f'<{url}?{urlencode([*self.query.given, ("cursor", each)])}>; rel="{rel}"'
            for rel, each in found
            if each is not None
        )
