"""What happens to a job next, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from generation.contract.pauses import LONGEST_LOOK_PAUSE
from generation.explain.job_history import JobHistory
from generation.job import Job, JobState
from generation.stations.wait_queue import without_subject
from generation.webhooks.delivery import DeliveryState

S = JobState


@dataclass(frozen=True, slots=True)
class FutureStep:
    """A future step. `at` is None if its time is unknown."""

    what: str
    at: datetime | None


def outlook(history: JobHistory, now: datetime) -> list[FutureStep]:
    """Return the future steps, those without a time first, then the earliest."""
    found = [*of_job(history.job, now), *of_deliveries(history)]
    return sorted(found, key=lambda each: (each.at is not None, each.at or now))


def of_job(job: Job, now: datetime) -> Iterator[FutureStep]:
    if job.is_terminal and job.wake_at is not None:
        message = "The upstream is asked once more, in case it succeeds late."
        if job.state is S.FAILED:
            message = "The upstream is asked once more, in case its file comes late."
        yield FutureStep(message, job.wake_at)
    if job.is_terminal:
        return
    yield step_of(job, now)
    if job.state is S.AWAITING_INPUT:
        message = f"The upstream waits for you: POST /v1/jobs/{job.id}/input."
        yield FutureStep(message, None)
    yield FutureStep("Unless it has ended by then, it is given up as expired.", job.deadline)


def step_of(job: Job, now: datetime) -> FutureStep:
    """Return the next step of genq for an unfinished job."""
    if job.cancel_requested_at is not None:
        return FutureStep("A worker sees to the cancel that was asked for.", job.wake_at)
    match job.state:
        case S.QUEUED if job.line:
            keys = without_subject(job.line)
            message = f"It is sent as soon as one of these keys has room: {keys}."
            return FutureStep(message, None)
        case S.QUEUED if job.not_before is not None and job.not_before > now:
            return FutureStep("It is sent again, not before then.", job.not_before)
        case S.QUEUED:
            return FutureStep("A worker sends it: any moment, or else then.", job.wake_at)
        case S.SUBMITTING:
            message = "The upstream's answer comes; a worker silent until then leaves it in doubt."
            return FutureStep(message, job.wake_at)
        case S.IN_DOUBT if job.resolved_as is not None:
            message = "The upstream is asked once more; then it is done as a person has said."
            return FutureStep(message, job.wake_at)
        case S.IN_DOUBT if waits_for_deadline(job):
            message = "Its upstream cannot be searched: a call, a person or its deadline ends it."
            return FutureStep(message, None)
        case S.IN_DOUBT:
            return FutureStep("What became of its submit is looked into again.", job.wake_at)
        case _:
            return FutureStep("The upstream is asked how far it is.", job.wake_at)


def waits_for_deadline(job: Job) -> bool:
    """Return whether the job is not searched for before its deadline.

    Searches are never that far apart.
    """
    return job.wake_at == job.deadline and job.deadline - job.updated_at > LONGEST_LOOK_PAUSE


def of_deliveries(history: JobHistory) -> Iterator[FutureStep]:
    for delivery in history.deliveries:
        if delivery.state is DeliveryState.QUEUED:
            attempt = f", attempt {delivery.attempts + 1}" if delivery.attempts else ""
            message = f"{delivery.event_type} is told to {delivery.url}{attempt}."
            yield FutureStep(message, delivery.wake_at)
