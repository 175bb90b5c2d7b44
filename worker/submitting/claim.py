"""Claims a queued job for one submit, and chooses the key."""

from collections.abc import Sequence
from datetime import datetime

from generation.contract.errors import ErrorCode, Rejected
from generation.job import Job, JobState
from generation.lifecycle import (
    Moment,
    begin_submit,
    canceled,
    expired,
    reject,
    stand_in_line,
    unbilled,
    wait_again,
)
from generation.stations.binding import Binding, candidates
from generation.stations.blocks import subject_of
from generation.stations.circuit_breaker import BreakerState
from generation.stations.key_capacity import Capacity, is_called
from generation.stations.key_health import KeyName
from generation.stations.station import Key
from generation.stations.wait_queue import line_of
from generation.store import Capacities
from worker.context import Room


class Claim:
    """The decision to claim a job for one submit, and where it is sent.

    It recognizes a job that it has claimed already, because the answer to a commit may be lost
    although the commit succeeded.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken: Job | None = None
        self.now = room.now()
        self.binding: Binding | None = None

    def holds(self, job: Job) -> bool:
        """Return whether this is the job as this claim has taken it."""
        mine = self._taken
        return mine is not None and (
            job.state is JobState.SUBMITTING
            and (job.attempts, job.submitted_at) == (mine.attempts, mine.submitted_at)
        )

    def wanted(self, job: Job) -> dict[KeyName, Key]:
        """Return the keys with limits or problems; the others need no capacity check."""
        room = self._room
        return {
            option.lane: option.key
            for option in candidates(room.stations, job)
            if option.key.is_limited
            or option.lane in room.awaited
            or (
                (known := room.accounts.get(option.lane))
                and known.concerns(subject_of(job), self.now)
            )
        }

    def decide(self, job: Job, capacities: Capacities) -> Job:
        if self.holds(job):
            return job
        at = self._room.moment()
        if job.state is not JobState.QUEUED or (job.not_before and at.now < job.not_before):
            return job
        if at.is_past(job.deadline):
            return expired(job, at)
        if job.cancel_requested_at is not None:
            return canceled(job, at.now, unbilled(job), "canceled before it was sent")
        options = candidates(self._room.stations, job)
        if not options:
            return nobody_sells(job, at)
        reasons: list[str] = []
        for option in untried(job, options):
            capacity = capacities.get(option.lane)
            reason = self._obstacle(job, option, capacity, at.now)
            if reason is None:
                return self._take(job, option, capacity)
            reasons.append(reason)
        if self._could_refuse_again(job, options, capacities, at.now):
            return wait_again(job, "; ".join([job.reason, *reasons]), at)
        line = line_of(job, options, held_subject(job, options, capacities, at.now))
        return stand_in_line(job, line, "; ".join(reasons), at)

    def _obstacle(
        self, job: Job, option: Binding, capacity: Capacity | None, now: datetime
    ) -> str | None:
        """Return why the job may not be submitted there now."""
        station = option.station.name
        match self._room.breakers.state(station):
            case BreakerState.OPEN:
                return f"station {station} does not answer"
            case BreakerState.HALF_OPEN if not is_called(job, option.lane, now):
                return f"station {station} did not answer and is being tried again"
            case _ if not self._room.submit_places.free(station):
                return f"station {station} has not answered earlier submits yet"
            case _:
                return capacity.obstacle(job, now) if capacity else None

    def _could_refuse_again(
        self, job: Job, options: Sequence[Binding], capacities: Capacities, now: datetime
    ) -> bool:
        """Return whether a key that has just refused the job would wake it again at once."""
        return any(
            self._obstacle(job, option, capacities.get(option.lane), now) is None
            for option in options
            if "/".join(option.lane) in job.tried
        )

    def _take(self, job: Job, option: Binding, capacity: Capacity | None) -> Job:
        at = self._room.moment(option, job.model)
        if capacity is not None:
            capacity.take(job, at.now, self._room.patience)
        self.binding = option
        self._room.submit_places.take(job.id, option.station.name)
        self._taken = begin_submit(
            job,
            at,
            station=option.station.name,
            key=option.key.name,
            dialect=option.operation.dialect,
        )
        return self._taken


def untried(job: Job, options: Sequence[Binding]) -> Sequence[Binding]:
    """Return the keys that have not refused it in this round."""
    return [option for option in options if "/".join(option.lane) not in job.tried] or options


def held_subject(
    job: Job, options: Sequence[Binding], capacities: Capacities, now: datetime
) -> str | None:
    """Return the job's model if any of these keys is refused for it."""
    found = (capacities.get(option.lane) for option in options)
    held = any(capacity and capacity.held_back(job, now) for capacity in found)
    return subject_of(job) if held else None


def nobody_sells(job: Job, at: Moment) -> Job:
    """It was accepted when a station offered it, and none does any more."""
    where = f"station {job.station}, where it belongs, no longer offers {job.type}"
    words = where if job.is_bound else f"no station of this deployment offers {job.type}"
    return reject(job, Rejected(words, code=ErrorCode.UNSUPPORTED), at)
