"""The context of a decision: time, rules, poll pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from generation.contract.errors import Fault
from generation.contract.pauses import look_pause
from generation.polling.pace import Pace
from generation.polling.schedule import jittered

#: The longest time by which an upstream's records lag behind its answers.
GRACE = timedelta(seconds=60)
#: The longest time between two searches for one job.
FIND_CEILING = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRules:
    """Settings that decisions depend on."""

    retry_base: timedelta
    retry_limit: timedelta
    submit_lease: timedelta
    #: The longest time that a submit takes.
    submit_timeout: timedelta

    def backoff(self, tries: int, jitter: float) -> timedelta:
        """Return the wait before try number `tries` + 1: doubled each time, up to the limit."""
        return jittered(min(self.retry_base * 2 ** min(tries, 20), self.retry_limit), jitter)

    def between_finds(self, misses: int, jitter: float) -> timedelta:
        """Return the wait before the next search after `misses` searches."""
        return min(self.backoff(misses, jitter), jittered(FIND_CEILING, jitter))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContext:
    """The time of a decision, its settings, the poll pace and a random number."""

    now: datetime
    rules: LifecycleRules
    pace: Pace
    #: A random number in [0, 1).
    jitter: float = 0.5
    #: A time that has surely passed; None if that is `now`. The clock may have been set forward.
    certain_now: datetime | None = None
    #: How long the deciding worker itself has found the task missing, or done without a file, by a
    #: monotonic clock.
    missing_for: timedelta = timedelta(0)

    def until(self, deadline: datetime, when: datetime) -> datetime:
        """Return `when`, or the deadline if that comes first and has not passed."""
        return min(when, deadline) if deadline > self.now else when

    def retry(self, fault: Fault, deadline: datetime, wait: timedelta) -> datetime:
        """Return when to try again after this fault.

        That is after the time the fault asks for, within its cap, or else after `wait`; at the
        latest at a deadline that has not passed.
        """
        return self.until(deadline, self.now + look_pause(fault, wait))

    def is_past(self, moment: datetime) -> bool:
        """Return whether the time has surely passed, for decisions that cannot be undone."""
        return (self.certain_now or self.now) >= moment
