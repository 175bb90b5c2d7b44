"""What an API key may do: its scopes, its providers, its limits."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Scope(StrEnum):
    """One permission of a key. No scope includes another."""

    #: Submit jobs, and send the input of a job that waits for it.
    SUBMIT = "submit"
    #: Read the tenant's jobs and events.
    READ = "read"
    #: Cancel the tenant's jobs, and erase those that have ended.
    CANCEL = "cancel"
    #: Read the metrics of the whole deployment at `/metrics`, for Prometheus.
    METRICS = "metrics"
    #: Create, change and revoke the keys of every tenant, for operators.
    ADMIN = "admin"


#: A tenant's name: printable characters, without a space at either end.
LONGEST_TENANT = 100
TENANT = (
    r"^[^\x00-\x20\x7f-\xa0\u2028\u2029]"
    r"([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\x00-\x20\x7f-\xa0\u2028\u2029])?$"
)

#: The scopes of a key for which none were given.
DEFAULT_SCOPES = frozenset({Scope.SUBMIT, Scope.READ, Scope.CANCEL})

_RATE = re.compile(r"([1-9][0-9]{0,5})/([smh])")
_WINDOWS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of jobs per time window. They may come all at once or evenly."""

    count: int
    window: timedelta

    @property
    def interval(self) -> timedelta:
        """The time that one job uses of the window."""
        return self.window / self.count

    def __str__(self) -> str:
        unit = next((unit for unit, span in _WINDOWS.items() if span == self.window), None)
        return f"{self.count}/{unit}" if unit else f"{self.count}/{self.window.total_seconds():g}s"


def read_rate(text: str) -> Rate:
    """Read `10/s`, `60/m` or `500/h`. Raises `ValueError` for any other text."""
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be jobs per second, minute or hour, as in 10/s, 60/m or 500/h")
    return Rate(int(found[1]), _WINDOWS[found[2]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of what a key may submit. None means unlimited."""

    rate: Rate | None = None
    #: Unfinished jobs at any time.
    max_in_flight: int | None = None
    #: Jobs per day, from midnight to midnight UTC.
    daily_jobs: int | None = None

    def __bool__(self) -> bool:
        """Return whether there is any limit."""
        return not (self.rate is self.max_in_flight is self.daily_jobs is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything about a key that an operator can set and change."""

    scopes: frozenset[Scope] = DEFAULT_SCOPES
    #: The providers the key may use; None for all.
    providers: frozenset[str] | None = None
    limits: Limits = field(default_factory=Limits)
    #: From this time on the key is invalid.
    expires_at: datetime | None = None

    def permits(self, provider: str) -> bool:
        return self.providers is None or provider in self.providers
