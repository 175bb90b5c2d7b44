"""The health of one key at one station: blocks, pauses, submit rate, balance.

It is stored, so every process knows the same. A key is judged by what the station says about it,
never by the outcome of a job. How answers change it is in `generation.stations.key_updates`, the
submits per minute are in `generation.stations.submit_rate`, and refusals of one model or one job in
`generation.stations.blocks`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from generation.contract.errors import ErrorCode
from generation.contract.pauses import LONGEST_LOOK_PAUSE, LONGEST_SUBMIT_PAUSE
from generation.stations.blocks import APART, ModelBlocks

#: The names of a station and of one of its keys.
KeyName = tuple[str, str]
#: A blocked key is tried again this much more slowly than a rate limited one.
BLOCKED_SLOWDOWN = 6
#: The largest number of doublings of a wait.
MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class RetryWaits:
    """Waits that double from `base` up to `limit`."""

    base: timedelta
    limit: timedelta

    def after(self, times: int) -> timedelta:
        return min(self.base * 2 ** min(times, MOST_DOUBLINGS), self.limit)

    @property
    def between_balances(self) -> timedelta:
        """How often the balance of an account with too little credit is asked for."""
        return self.slower().base

    def slower(self) -> "RetryWaits":
        return RetryWaits(self.base * BLOCKED_SLOWDOWN, self.limit * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHealth:
    """The state of one key at one station."""

    station: str
    key: str
    #: `auth` or `out_of_credits` while the station refuses the key itself.
    blocked_code: str | None = None
    blocked_since: datetime | None = None
    blocked_words: str = ""
    #: When one job may try a blocked key again.
    probe_at: datetime | None = None
    probes: int = 0
    #: The latest jobs for which it was refused; the last one is at the end.
    refused: tuple[str, ...] = ()
    #: What it may not submit, although the key itself is accepted.
    blocks: ModelBlocks = field(default_factory=ModelBlocks)
    #: The last known balance, its unit, and when it is asked for again.
    balance: float | None = None
    balance_unit: str = ""
    balance_at: datetime | None = None
    #: The station wants no submit with this key before then.
    cool_until: datetime | None = None
    #: How many times in a row it has said so, and when it last did.
    cooled: int = 0
    cooled_at: datetime | None = None
    #: The job that was rate limited last. A second one pauses the key.
    throttled: str | None = None
    #: Submits per minute are a bucket that refills; this is when it will be full again.
    full_at: datetime | None = None
    #: The station wants no look with this key before then.
    look_after: datetime | None = None

    @classmethod
    def of(cls, name: KeyName) -> "KeyHealth":
        """Return the state of a key of which nothing is known."""
        return cls(station=name[0], key=name[1])

    @property
    def name(self) -> KeyName:
        return self.station, self.key

    @property
    def is_troubled(self) -> bool:
        return self.blocked_code is not None or self.cooled > 0

    def concerns(self, subject: str, now: datetime) -> bool:
        """Return whether anything may keep jobs of this subject from being submitted."""
        held = self.blocks.holds(subject, now)
        return self.is_troubled or self.is_unwatched(now) or held

    def is_unwatched(self, now: datetime) -> bool:
        """Return whether looks with it are paused.

        Nothing is submitted that could not be looked at.
        """
        return is_ahead(self.look_after, now, LONGEST_LOOK_PAUSE)

    def may_ask_balance(self, now: datetime) -> bool:
        """Return whether to ask for the balance now, because there was too little credit."""
        asked = self.balance_at is not None and now < self.balance_at
        return self.blocked_code == ErrorCode.OUT_OF_CREDITS and not asked

    def is_cooling(self, now: datetime) -> bool:
        return is_ahead(self.cool_until, now, LONGEST_SUBMIT_PAUSE)

    def is_blocked(self, now: datetime) -> bool:
        """Return whether not even a trial is due."""
        waits = self.probe_at is not None and now < self.probe_at
        return self.blocked_code is not None and waits


def is_ahead(moment: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Return whether a pause until this time is in effect.

    One that is further ahead than any pause came from a wrong clock.
    """
    return moment is not None and now < moment <= now + longest + APART
