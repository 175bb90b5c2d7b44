"""Rate limits of API keys: the headers of draft-ietf-httpapi-ratelimit-headers, and early refusals.

A cache of refusals keeps repeated requests away from the database. Keys without limits are not
handled here.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from api.http.problem_types import QUOTA_EXCEEDED
from api.http.problems import Complaint, Problem, invalid
from generation.access.permissions import Limits
from generation.access.quota import IN_FLIGHT, KeyUsage, LimitStatus, QuotaExceeded, limit_statuses
from generation.store import ApiKey
from generation.store.access.quotas import QuotaStore

Fields = tuple[tuple[bytes, bytes], ...]

#: Headers of requests that may be repetitions.
REPEAT_HEADERS = {"idempotency-key", "x-stainless-retry-count"}
#: Entries of the cache of refusals. A full cache is cleared; the store refuses again.
MAX_REFUSALS = 10_000
#: The headers of a key are reused for this time while its usage is the same.
HEADERS_CACHED_FOR = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class CachedHeaders:
    """The headers of the newest response, and what they were made of."""

    limits: Limits
    usage: KeyUsage
    until: datetime
    fields: Fields


class RateLimiter:
    """Applies the limits of keys to submissions. Belongs to one event loop."""

    def __init__(self, quotas: QuotaStore) -> None:
        self._quotas = quotas
        self._refused: dict[str, tuple[datetime, Limits, QuotaExceeded]] = {}
        self._cached: CachedHeaders | None = None

    def check(self, request: Request, caller: ApiKey) -> None:
        """Raise `Problem` (429) at once for a new request that the store would refuse."""
        if self._is_new(request):
            self._check(caller, datetime.now(UTC))

    def problem(self, caller: ApiKey, over: QuotaExceeded) -> Problem:
        """The problem for a request beyond the limits of its key; remembered while it holds."""
        if over.wait is None:
            return invalid([Complaint("#/jobs", over.detail, "length")])
        now = datetime.now(UTC)
        self._remember(caller, over, now + over.wait)
        return quota_problem(caller.access.limits, over, over.wait, now)

    def fields(self, caller: ApiKey) -> Fields:
        """The rate limit headers of a response to this caller."""
        return self._fields(caller.access.limits, self._quotas.usage_of(caller.id))

    def _fields(self, limits: Limits, usage: KeyUsage) -> Fields:
        """Return the headers; equal ones for jobs of a key that were stored together."""
        now = datetime.now(UTC)
        cached = self._cached
        if (
            cached is None
            or (cached.limits, cached.usage) != (limits, usage)
            or now >= cached.until
        ):
            found = headers_of(limits, usage, now)
            fields = tuple((name.lower().encode(), text.encode()) for name, text in found.items())
            cached = self._cached = CachedHeaders(limits, usage, now + HEADERS_CACHED_FOR, fields)
        return cached.fields

    @staticmethod
    def _is_new(request: Request) -> bool:
        """Whether the request cannot be a repetition, which is answered whatever the limits are."""
        return request.method == "POST" and REPEAT_HEADERS.isdisjoint(request.headers.keys())

    def _check(self, caller: ApiKey, now: datetime) -> None:
        """Raise `Problem` (429) while an earlier refusal holds.

        The use of a rate or of a daily limit only grows, in all processes, so a refusal holds until
        its time has passed or an operator changes the limits.
        """
        until, limits, over = self._refused.get(caller.id, (None, None, None))
        if until is None or over is None:
            return
        if now < until and limits == caller.access.limits:
            raise quota_problem(caller.access.limits, over, until - now, now)
        del self._refused[caller.id]

    def _remember(self, caller: ApiKey, over: QuotaExceeded, until: datetime) -> None:
        if over.policy == IN_FLIGHT or over.together:
            return  # a job may end at any time, and a smaller submission may fit
        if len(self._refused) >= MAX_REFUSALS:
            self._refused.clear()
        self._refused[caller.id] = (until, caller.access.limits, over)


def quota_problem(limits: Limits, over: QuotaExceeded, wait: timedelta, now: datetime) -> Problem:
    """The 429 of draft-ietf-httpapi-ratelimit-headers."""
    headers = headers_of(limits, over.usage, now) | {"Retry-After": str(whole_seconds(wait))}
    extra = {"violated-policies": [over.policy]}
    return Problem(QUOTA_EXCEEDED, over.detail, headers=headers, extra=extra)


def headers_of(limits: Limits, usage: KeyUsage, now: datetime) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit`: lists of structured fields (RFC 9651)."""
    found = tuple(limit_statuses(limits, usage, now))
    return {
        "RateLimit-Policy": ", ".join(policy_of(each) for each in found),
        "RateLimit": ", ".join(state_of(each) for each in found),
    }


def policy_of(standing: LimitStatus) -> str:
    """`"submit";q=60;w=60`."""
    if standing.window is None:
        return f'"{standing.policy}";q={standing.quota};qu="concurrent-requests"'
    return f'"{standing.policy}";q={standing.quota};w={whole_seconds(standing.window)}'


def state_of(standing: LimitStatus) -> str:
    """`"submit";r=12;t=31`: 12 are left, and there will be more in 31 seconds."""
    more = "" if standing.more_in is None else f";t={math.ceil(standing.more_in.total_seconds())}"
    return f'"{standing.policy}";r={standing.remaining}{more}'


def whole_seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))
