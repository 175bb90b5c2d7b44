"""
When a decision is taken, and under which rules.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from generation.contract.errors import Fault
from generation.contract.pauses import look_pause
from generation.polling.pace import Pace
from generation.polling.schedule import jittered

#: An upstream's own books are behind its answers by no more than this.
GRACE = timedelta(seconds=60)
#: Searches for one job are never further apart than this.
FIND_CEILING = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The deployment's times that decisions depend on."""

    retry_base: timedelta
    retry_limit: timedelta
    submit_lease: timedelta
    #: No submit is on the wire for longer than this.
    submit_timeout: timedelta

    def backoff(self, tries: int, dice: float) -> timedelta:
        """The wait before try number `tries` + 1: doubled each time, up to the limit."""
        return jittered(min(self.retry_base * 2 ** min(tries, 20), self.retry_limit), dice)

    def between_finds(self, misses: int, dice: float) -> timedelta:
        """The wait before the search after so many misses."""
        return min(self.backoff(misses, dice), jittered(FIND_CEILING, dice))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a decision is taken, under which rules, at which pace, with which roll of the dice."""

    now: datetime
    rules: Rules
    pace: Pace
    #: In [0, 1).
    dice: float = 0.5
    #: A time that has come for sure; None where that is `now`. The clock may have been set forward.
    surely: datetime | None = None
    #: For how long whoever decides has itself found the task missing, or done without a file, by a
    #: clock that is never set.
    missing_for: timedelta = timedelta(0)

    def until(self, deadline: datetime, when: datetime) -> datetime:
        """That time, but no later than a deadline that is still to come."""
        return min(when, deadline) if deadline > self.now else when

    def retry(self, fault: Fault, deadline: datetime, wait: timedelta) -> datetime:
        """
        When to try again what met this fault: after as long as it asks for, within reason, or else
        after `wait`; and at a deadline that is still to come, whatever anybody asks for.
        """
        return self.until(deadline, self.now + look_pause(fault, wait))

    def is_past(self, moment: datetime) -> bool:
        """Whether that time has come, for what cannot be taken back."""
        return (self.surely or self.now) >= moment
