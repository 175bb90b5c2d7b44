"""Claims a queued job for one submit, and chooses the key."""

from collections.abc import Sequence
from datetime import datetime

from generation.contract.errors import ErrorCode, Rejected
from generation.job import Job, JobState
from generation.lifecycle import (
    DecisionContext,
    begin_submit,
    canceled,
    enter_wait_queue,
    expired,
    reject,
    retry_later,
    unbilled,
)
from generation.stations.binding import Binding, candidates
from generation.stations.blocks import subject_of
from generation.stations.circuit_breaker import CircuitState
from generation.stations.key_capacity import Capacity, is_called
from generation.stations.key_health import KeyName
from generation.stations.station import Key
from generation.stations.wait_queue import wait_queue_of
from generation.store import Capacities
from worker.context import WorkerContext


class SubmitClaim:
    """The decision to claim a job for one submit, and where it is sent.

    It recognizes a job that it has claimed already, because the answer to a commit may be lost
    although the commit succeeded.
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._taken: Job | None = None
        self.now = context.now()
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
        context = self._context
        return {
            option.station_key: option.key
            for option in candidates(context.stations, job)
            if option.key.is_limited
            or option.station_key in context.awaited
            or (
                (known := context.accounts.get(option.station_key))
                and known.concerns(subject_of(job), self.now)
            )
        }

    def decide(self, job: Job, capacities: Capacities) -> Job:
        if self.holds(job):
            return job
        at = self._context.moment()
        if job.state is not JobState.QUEUED or (job.not_before and at.now < job.not_before):
            return job
        if at.is_past(job.deadline):
            return expired(job, at)
        if job.cancel_requested_at is not None:
            return canceled(job, at.now, unbilled(job), "canceled before it was sent")
        options = candidates(self._context.stations, job)
        if not options:
            return fail_unsold(job, at)
        reasons: list[str] = []
        for option in untried(job, options):
            capacity = capacities.get(option.station_key)
            reason = self._obstacle(job, option, capacity, at.now)
            if reason is None:
                return self._take(job, option, capacity)
            reasons.append(reason)
        if self._could_refuse_again(job, options, capacities, at.now):
            return retry_later(job, "; ".join([job.reason, *reasons]), at)
        line = wait_queue_of(job, options, held_subject(job, options, capacities, at.now))
        return enter_wait_queue(job, line, "; ".join(reasons), at)

    def _obstacle(
        self, job: Job, option: Binding, capacity: Capacity | None, now: datetime
    ) -> str | None:
        """Return why the job may not be submitted there now."""
        station = option.station.name
        match self._context.breakers.state(station):
            case CircuitState.OPEN:
                return f"station {station} does not answer"
            case CircuitState.HALF_OPEN if not is_called(job, option.station_key, now):
                return f"station {station} did not answer and is being tried again"
            case _ if not self._context.submit_places.free(station):
                return f"station {station} has not answered earlier submits yet"
            case _:
                return capacity.obstacle(job, now) if capacity else None

    def _could_refuse_again(
        self, job: Job, options: Sequence[Binding], capacities: Capacities, now: datetime
    ) -> bool:
        """Return whether a key that has just refused the job would wake it again at once."""
        return any(
            self._obstacle(job, option, capacities.get(option.station_key), now) is None
            for option in options
            if "/".join(option.station_key) in job.tried
        )

    def _take(self, job: Job, option: Binding, capacity: Capacity | None) -> Job:
        at = self._context.moment(option, job.model)
        if capacity is not None:
            capacity.take(job, at.now, self._context.retry_waits)
        self.binding = option
        self._context.submit_places.take(job.id, option.station.name)
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
    return [
        option for option in options if "/".join(option.station_key) not in job.tried
    ] or options


def held_subject(
    job: Job, options: Sequence[Binding], capacities: Capacities, now: datetime
) -> str | None:
    """Return the job's model if any of these keys is refused for it."""
    found = (capacities.get(option.station_key) for option in options)
    held = any(capacity and capacity.held_back(job, now) for capacity in found)
    return subject_of(job) if held else None


def fail_unsold(job: Job, at: DecisionContext) -> Job:
    """It was accepted when a station offered it, and none does any more."""
    where = f"station {job.station}, where it belongs, no longer offers {job.type}"
    words = where if job.is_bound else f"no station of this deployment offers {job.type}"
    return reject(job, Rejected(words, code=ErrorCode.UNSUPPORTED), at)
