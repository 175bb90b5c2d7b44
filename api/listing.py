"""
Lists of jobs: what a query may say, and the cursor to go on with.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.problems import INVALID_QUERY, Problem
from generation.job import JobState
from generation.store import Filters

MOST = 100
USUAL = 50
PARAMETERS = ("state", "provider", "operation", "limit", "cursor")

JOB_ID = re.compile(r"job_[0-9A-HJKMNP-TV-Z]{26}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Query:
    """A page of a list: which jobs, how many, and after which."""

    filters: Filters
    limit: int
    before: str | None

    def next_url(self, base_url: str, last_job_id: str) -> str:
        """The address of the page that follows the one which ends with this job."""
        parameters = {
            "state": self.filters.state,
            "provider": self.filters.provider,
            "operation": self.filters.operation,
            "limit": self.limit,
            "cursor": cursor_after(last_job_id),
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"{base_url}/v1/jobs?{urlencode(given)}"


def read_query(parameters: Sequence[tuple[str, str]]) -> Query:
    """Raises `Problem` (400) that names the parameter and what it may be."""
    given = by_name(parameters)
    return Query(
        filters=Filters(
            state=read_state(given.get("state")),
            provider=read_name(given, "provider"),
            operation=read_name(given, "operation"),
        ),
        limit=read_limit(given.get("limit")),
        before=read_cursor(given.get("cursor")),
    )


def by_name(parameters: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        if name not in PARAMETERS:
            raise unusable(
                f"there is no parameter {name[:60]!r}; there are {', '.join(PARAMETERS)}"
            )
        if name in given:
            raise unusable(f"{name} is given twice; give it once")
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


def read_limit(value: str | None) -> int:
    if value is None:
        return USUAL
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 1 <= int(value) <= MOST:
        raise unusable(f"limit must be a whole number from 1 to {MOST}")
    return int(value)


def read_cursor(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        job_id = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        job_id = ""
    if not JOB_ID.fullmatch(job_id):
        raise unusable("cursor must be the next_cursor of an earlier page, unchanged")
    return job_id


def cursor_after(job_id: str) -> str:
    return base64.urlsafe_b64encode(job_id.encode()).decode().rstrip("=")


def unusable(detail: str) -> Problem:
    return Problem(INVALID_QUERY, detail)
