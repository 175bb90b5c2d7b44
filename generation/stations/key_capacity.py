"""Whether a key can take one more submit now: its limits, its problems, and its wait queue.

Read with the key's row locked, used for the decisions of one transaction, and discarded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from generation.job import Job
from generation.stations.blocks import subject_of
from generation.stations.key_health import KeyHealth, KeyName, RetryWaits
from generation.stations.key_updates import begin_probe, begin_trial
from generation.stations.station import Key
from generation.stations.submit_rate import submits_left, submitted

#: Jobs woken at once for one key.
CALLED_AT_ONCE = 200
#: The same for a key that was rate limited and has not been accepted since.
CALLED_AFTER_PAUSE = 20
#: The same for a key whose station has just begun to answer again.
CALLED_ON_TRIAL = 2


@dataclass(slots=True)
class Capacity:
    """The capacity of one key. Decisions change it as they use it."""

    key: Key
    account: KeyHealth
    #: Slots in use, including those of woken jobs and of ended jobs whose task may still run.
    held: int = 0
    #: Those of woken jobs that were not submitted yet.
    called: int = 0
    #: Whether jobs wait in a queue for this key.
    has_line: bool = False
    #: Set by every change of the key's row.
    touched: bool = False

    @property
    def name(self) -> str:
        return f"key {self.key.name} at station {self.account.station}"

    def obstacle(self, job: Job, now: datetime) -> str | None:
        """Return why this job may not be submitted with this key now; None if it may."""
        called = is_called(job, self.account.name, now)
        full = self._full(now, mine=called)
        if full is not None:
            return full
        if not called and (trouble := self.trouble(now)) is not None:
            return trouble
        if (refusal := self.held_back(job, now)) is not None:
            return refusal
        waits = self.has_line and not called
        return f"waiting in line for {self.name}" if waits else None

    def held_back(self, job: Job, now: datetime) -> str | None:
        """Return why no job of this job's model may be submitted with this key now."""
        block = self.account.blocks.get(subject_of(job))
        if block is None or not block.is_closed(now):
            return None
        tries = block.prober == job.id and is_called(job, self.account.name, now)
        return None if tries else f"{self.name} is refused for {block.describe()}"

    def trouble(self, now: datetime) -> str | None:
        """Return what is wrong with the key itself."""
        account = self.account
        if account.is_blocked(now) and account.blocked_since is not None:
            since = f"{account.blocked_since:%H:%M} UTC"
            return f"{self.name} is blocked since {since} ({account.blocked_code})"
        if account.is_cooling(now):
            until = f"{account.cool_until:%H:%M:%S} UTC"
            return f"{self.name} was called too fast, its station wants a pause until {until}"
        if account.is_unwatched(now):
            until = f"{account.look_after:%H:%M:%S} UTC"
            return (
                f"{self.name} may not look at its tasks until {until}, so nothing more is bought"
                " with it"
            )
        return None

    def take(self, job: Job, now: datetime, retry_waits: RetryWaits) -> None:
        """Record that this job is submitted with this key now."""
        if not is_called(job, self.account.name, now):
            self.held += 1
            if self.account.blocked_code is not None:
                self._probe(now, retry_waits)
        else:
            self.called -= 1
        self._try_held(job, now, retry_waits)
        if self.key.submits_per_minute is not None:
            self.account = submitted(self.account, self.key, now)
            self.touched = True

    def to_call(self, now: datetime, most: int = CALLED_AT_ONCE, subject: str | None = None) -> int:
        """Return how many waiting jobs may be woken now; for one blocked model, if it is named."""
        block = self.account.blocks.get(subject) if subject else None
        if self.trouble(now) is not None or (block and block.is_closed(now)):
            return 0
        if block and block.is_held(now):
            most = 1
        if self.account.blocked_code is not None:
            most = 1
        elif self.account.cooled:
            most = min(most, CALLED_AFTER_PAUSE)
        rooms = [most - self.called]
        if self.key.max_in_flight is not None:
            rooms.append(self.key.max_in_flight - self.held)
        if (left := submits_left(self.account, self.key, now)) is not None:
            rooms.append(left - self.called)
        return max(0, min(rooms))

    def call(self, jobs: Sequence[Job], now: datetime, retry_waits: RetryWaits) -> None:
        """Record that these jobs are woken."""
        self.held += len(jobs)
        self.called += len(jobs)
        if jobs and self.account.blocked_code is not None:
            self._probe(now, retry_waits)
        for job in jobs:
            self._try_held(job, now, retry_waits)

    def refused_last(self, subject: str | None = None) -> str | None:
        """Return the job that failed last, for a key or model that is tried again."""
        block = self.account.blocks.get(subject) if subject else None
        jobs = block.refused if block else self.account.refused
        return jobs[-1] if jobs else None

    def _full(self, now: datetime, *, mine: bool) -> str | None:
        limit = self.key.max_in_flight
        if limit is not None and self.held - mine >= limit:
            return f"waiting for a free slot of {self.name}: {self.held} of {limit} in use"
        left = submits_left(self.account, self.key, now)
        if left is not None and left - self.called + mine <= 0:
            per_minute = self.key.submits_per_minute
            return f"waiting for {self.name}: it takes {per_minute} submits a minute"
        return None

    def _try_held(self, job: Job, now: datetime, retry_waits: RetryWaits) -> None:
        block = self.account.blocks.get(subject_of(job))
        if block is None or not block.is_held(now) or block.is_closed(now):
            return
        self.account = begin_trial(self.account, block.subject, job.id, now, retry_waits)
        self.touched = True

    def _probe(self, now: datetime, retry_waits: RetryWaits) -> None:
        self.account = begin_probe(self.account, now, retry_waits)
        self.touched = True


def is_called(job: Job, name: KeyName, now: datetime) -> bool:
    """Return whether the job holds a slot of this key because it was woken from the wait queue."""
    holds = job.slot_until is not None and now < job.slot_until
    return holds and (job.station, job.key) == name
