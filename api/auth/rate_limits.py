"""
Keys with limits: what their callers are told of them, in the fields of
draft-ietf-httpapi-ratelimit-headers, and a memory that keeps hammering away from the database.

Keys without limits do not come through here.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from api.http.problem_types import QUOTA_EXCEEDED
from api.http.problems import Complaint, Problem, invalid
from generation.access.permissions import Limits
from generation.access.quota import IN_FLIGHT, OverQuota, Standing, Usage, standings
from generation.store import ApiKey
from generation.store.access.quotas import Quotas

Endpoint = Callable[[Request, ApiKey], Awaitable[Response]]
Fields = tuple[tuple[bytes, bytes], ...]

#: Headers of orders that may be repetitions.
REPEATED = {"idempotency-key", "x-stainless-retry-count"}
#: Refusals remembered at once. Beyond it they are all forgotten; the store refuses again.
MOST_REMEMBERED = 10_000
#: For so long a key's fields stay as they are where its usage does.
ONE_MOMENT = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class Said:
    """The fields of the newest answer, and what they were made of."""

    limits: Limits
    usage: Usage
    until: datetime
    fields: Fields


class RateLimiter:
    """Runs endpoints that take orders, for keys with limits. Lives on one event loop."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._refused: dict[str, tuple[datetime, Limits, OverQuota]] = {}
        self._said: Said | None = None

    async def __call__(self, endpoint: Endpoint, request: Request, caller: ApiKey) -> Response:
        """
        What the endpoint answers, and the fields. Raises `Problem`: 429, 422 for more jobs than the
        limits would ever take at once; and what it raises.
        """
        self.check(request, caller)
        try:
            response = await endpoint(request, caller)
        except OverQuota as over:
            raise self.problem(caller, over) from over
        response.raw_headers.extend(self.fields(caller))
        return response

    def check(self, request: Request, caller: ApiKey) -> None:
        """Raise `Problem` (429) at once for a new request that the store would refuse."""
        if self._is_new(request):
            self._check(caller, datetime.now(UTC))

    def problem(self, caller: ApiKey, over: OverQuota) -> Problem:
        """The problem for a request beyond the limits of its key; remembered while it holds."""
        if over.wait is None:
            return invalid([Complaint("#/jobs", over.detail, "length")])
        now = datetime.now(UTC)
        self._remember(caller, over, now + over.wait)
        return quota_problem(caller.access.limits, over, over.wait, now)

    def fields(self, caller: ApiKey) -> Fields:
        """The rate limit headers of a response to this caller."""
        return self._fields(caller.access.limits, self._quotas.usage_of(caller.id))

    def _fields(self, limits: Limits, usage: Usage) -> Fields:
        """Orders of a key that were stored together are answered at one moment, with one text."""
        now = datetime.now(UTC)
        said = self._said
        if said is None or (said.limits, said.usage) != (limits, usage) or now >= said.until:
            found = headers_of(limits, usage, now)
            fields = tuple((name.lower().encode(), text.encode()) for name, text in found.items())
            said = self._said = Said(limits, usage, now + ONE_MOMENT, fields)
        return said.fields

    @staticmethod
    def _is_new(request: Request) -> bool:
        """Surely no repetition of an order that was taken: that is answered whatever the limits."""
        return request.method == "POST" and REPEATED.isdisjoint(request.headers.keys())

    def _check(self, caller: ApiKey, now: datetime) -> None:
        """
        Refuse at once what the store would refuse. A rate and a day's jobs are only ever used up
        further, by whichever process, so until then nothing can have become possible; unless an
        operator chose other limits.
        """
        until, limits, over = self._refused.get(caller.id, (None, None, None))
        if until is None or over is None:
            return
        if now < until and limits == caller.access.limits:
            raise quota_problem(caller.access.limits, over, until - now, now)
        del self._refused[caller.id]

    def _remember(self, caller: ApiKey, over: OverQuota, until: datetime) -> None:
        if over.policy == IN_FLIGHT or over.together:
            return  # any of those jobs may end at any moment; and a smaller order may fit
        if len(self._refused) >= MOST_REMEMBERED:
            self._refused.clear()
        self._refused[caller.id] = (until, caller.access.limits, over)


def quota_problem(limits: Limits, over: OverQuota, wait: timedelta, now: datetime) -> Problem:
    """The 429 of draft-ietf-httpapi-ratelimit-headers."""
    headers = headers_of(limits, over.usage, now) | {"Retry-After": str(whole_seconds(wait))}
    extra = {"violated-policies": [over.policy]}
    return Problem(QUOTA_EXCEEDED, over.detail, headers=headers, extra=extra)


def headers_of(limits: Limits, usage: Usage, now: datetime) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit`: lists of structured fields (RFC 9651)."""
    found = tuple(standings(limits, usage, now))
    return {
        "RateLimit-Policy": ", ".join(policy_of(each) for each in found),
        "RateLimit": ", ".join(state_of(each) for each in found),
    }


def policy_of(standing: Standing) -> str:
    """`"submit";q=60;w=60`."""
    if standing.window is None:
        return f'"{standing.policy}";q={standing.quota};qu="concurrent-requests"'
    return f'"{standing.policy}";q={standing.quota};w={whole_seconds(standing.window)}'


def state_of(standing: Standing) -> str:
    """`"submit";r=12;t=31`: so many are left, and there will be more in so many seconds."""
    more = "" if standing.more_in is None else f";t={math.ceil(standing.more_in.total_seconds())}"
    return f'"{standing.policy}";r={standing.remaining}{more}'


def whole_seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))
