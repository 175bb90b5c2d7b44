"""
What a caller's key may do: its scopes, its providers, its limits.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Scope(StrEnum):
    """One thing a key may do. None of them includes another."""

    #: Order jobs, and say what a waiting one is told.
    SUBMIT = "submit"
    #: Look at the tenant's jobs, and at all that is told of them.
    READ = "read"
    #: Cancel the tenant's jobs, and erase those that have ended.
    CANCEL = "cancel"
    #: Read the figures of the whole deployment at `/metrics`. For a Prometheus.
    METRICS = "metrics"
    #: Make, change and revoke the keys of every tenant. For operators.
    ADMIN = "admin"


#: A tenant's name: any printable characters, and a space neither first nor last.
LONGEST_TENANT = 100
TENANT = (
    r"^[^\x00-\x20\x7f-\xa0\u2028\u2029]"
    r"([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\x00-\x20\x7f-\xa0\u2028\u2029])?$"
)

#: What a key may do when nothing was said.
USUAL_SCOPES = frozenset({Scope.SUBMIT, Scope.READ, Scope.CANCEL})

_RATE = re.compile(r"([1-9][0-9]{0,5})/([smh])")
_WINDOWS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many jobs in so much time: all of them at once, or evenly, or anything between."""

    count: int
    window: timedelta

    @property
    def interval(self) -> timedelta:
        """The time after which one more may come, for ever."""
        return self.window / self.count

    def __str__(self) -> str:
        unit = next((unit for unit, span in _WINDOWS.items() if span == self.window), None)
        return f"{self.count}/{unit}" if unit else f"{self.count}/{self.window.total_seconds():g}s"


def read_rate(text: str) -> Rate:
    """`10/s`, `60/m` or `500/h`. Raises `ValueError` for anything else."""
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be jobs per second, minute or hour, as in 10/s, 60/m or 500/h")
    return Rate(int(found[1]), _WINDOWS[found[2]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a key may order. None: as much as it likes."""

    rate: Rate | None = None
    #: Jobs that have not ended, at once.
    max_in_flight: int | None = None
    #: Jobs in a day, from midnight to midnight UTC.
    daily_jobs: int | None = None

    def __bool__(self) -> bool:
        """Whether there is any."""
        return not (self.rate is self.max_in_flight is self.daily_jobs is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything about a key that its operator chooses, and may choose anew."""

    scopes: frozenset[Scope] = USUAL_SCOPES
    #: The providers it may order from; None for all of them.
    providers: frozenset[str] | None = None
    limits: Limits = field(default_factory=Limits)
    #: From then on it is as good as revoked.
    expires_at: datetime | None = None

    def permits(self, provider: str) -> bool:
        return self.providers is None or provider in self.providers
