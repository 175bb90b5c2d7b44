"""Events of jobs: rows of `job_events`, payloads of webhooks, of the feed and of streams."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic_core import to_json
from ulid import ULID

from generation.job import Billed, Job, JobState
from generation.job_document import job_document, rfc3339

#: Events for callers, by the state that a move leads to.
TOLD = {
    JobState.RUNNING: "job.started",
    JobState.AWAITING_INPUT: "job.awaiting_input",
    JobState.IN_DOUBT: "job.in_doubt",
    JobState.SUCCEEDED: "job.succeeded",
    JobState.FAILED: "job.failed",
    JobState.CANCELED: "job.canceled",
    JobState.EXPIRED: "job.expired",
}
RECOVERED = "job.recovered"
QUEUED = "job.queued"
#: Not a move: the progress changed. Stored only if a webhook or an endpoint asks for it.
PROGRESS = "job.progress"
#: Events of webhook endpoints.
ENDPOINT_EVENTS = ("endpoint.disabled", "endpoint.test")
#: Events for operators only, by the state that a move leads to.
KEPT = {JobState.SUBMITTING: "job.submitting", JobState.QUEUED: "job.requeued"}

#: Events that a webhook can ask for.
PUBLIC_EVENTS = (QUEUED, *TOLD.values(), RECOVERED, PROGRESS)
#: Events of the feed.
FEED_EVENTS = (*PUBLIC_EVENTS, *ENDPOINT_EVENTS)
#: Events of a webhook that asked for none in particular: every outcome, including a late one.
ENDINGS = ("job.succeeded", "job.failed", "job.canceled", "job.expired", RECOVERED)

#: Progress is not stored as an event sooner than this after any other change of the job.
PROGRESS_EVERY = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, with the payload as it is signed and sent."""

    id: str
    #: None for an event of `ENDPOINT_EVENTS`, which has `sequence` 0 and no state.
    job_id: str | None
    tenant: str
    #: 1, 2, 3 … within the job.
    sequence: int
    type: str
    state: JobState | None
    reason: str
    #: The station and key to which the job was bound at that time.
    station: str | None = None
    key: str | None = None
    created_at: datetime
    body: bytes | None


def event_of(
    before: Job | None, after: Job, base_url: str = "", *, watched: bool = False
) -> Event | None:
    """Return the event of this change, or None if there is none.

    `watched` means that an endpoint or a stream subscribes to the job's progress.
    """
    event_type = type_of(before, after, watched=watched)
    if event_type is None:
        return None
    # The insert is repeated if its commit was not answered, and must produce the same event id.
    event_id = new_event_id() if before else f"evt_{after.id.removeprefix('job_')}"
    sequence = after.sequence + 1 if before else 1
    body = None
    if is_delivered(after, event_type):
        document = job_document(after, base_url)
        body = payload_of(event_id, event_type, after.updated_at, sequence, document)
    return Event(
        id=event_id,
        job_id=after.id,
        tenant=after.tenant,
        sequence=sequence,
        type=event_type,
        state=after.state,
        reason=after.error.message if after.error else after.reason,
        station=after.station,
        key=after.key,
        created_at=after.updated_at,
        body=body,
    )


def new_event_id() -> str:
    """Return a new id. It begins with a timestamp and has no dot, which signatures do not allow."""
    return f"evt_{ULID()}"


def type_of(before: Job | None, after: Job, *, watched: bool = False) -> str | None:
    if before is None:
        return QUEUED
    if before.state is after.state:
        return PROGRESS if progress_to_tell(before, after, watched=watched) else None
    if before.is_terminal:
        return RECOVERED
    if before.state is JobState.AWAITING_INPUT and after.state is JobState.RUNNING:
        return "job.resumed"
    return TOLD.get(after.state) or KEPT[after.state]


def progress_to_tell(before: Job, after: Job, *, watched: bool) -> bool:
    """Return whether a change of progress is an event.

    It is one if somebody subscribes to it and the last change is long enough ago.
    """
    further = after.state is JobState.RUNNING and after.progress != before.progress
    rested = after.updated_at - before.updated_at >= PROGRESS_EVERY
    return further and rested and (watched or wants(after, PROGRESS))


def is_delivered(job: Job, event_type: str) -> bool:
    """Return whether the event has a payload.

    `job.queued` has one only if the job's webhook asks for it.
    """
    return wants(job, QUEUED) if event_type == QUEUED else event_type in PUBLIC_EVENTS


def wants(job: Job, event_type: str) -> bool:
    """Return whether the job's webhook asked for this event."""
    if job.webhook is None or event_type not in PUBLIC_EVENTS:
        return False
    return event_type in (job.webhook.events or ENDINGS)


def payload(event_id: str, event_type: str, job: Job, base_url: str) -> bytes:
    """Return the webhook's body: compact JSON in UTF-8. These bytes are signed and sent."""
    return payload_of(
        event_id, event_type, job.updated_at, job.sequence + 1, job_document(job, base_url)
    )


def payload_of(
    event_id: str, event_type: str, at: datetime, sequence: int, data: dict[str, object]
) -> bytes:
    """Return the body of any event: type, time, data, id and sequence."""
    document = {
        "type": event_type,
        "timestamp": rfc3339(at),
        "data": data,
        "id": event_id,
        "sequence": sequence,
    }
    return to_json(document)


def progress_news(job: Job, base_url: str) -> bytes:
    """Return the payload of progress that is streamed and not stored.

    It has no `id` and no `sequence`, because it cannot be requested again.
    """
    document = {
        "type": PROGRESS,
        "timestamp": rfc3339(job.updated_at),
        "data": job_document(job, base_url),
    }
    return to_json(document)


def as_born(job: Job) -> Job:
    """Return the job as it was when it was created.

    A `job.queued` event that nobody subscribed to is not stored. Its payload can be made later,
    because the fields it consists of never change.
    """
    return job.evolve(
        state=JobState.QUEUED,
        sequence=0,
        reason="",
        station=None,
        key=None,
        dialect=None,
        upstream_id=None,
        attempts=0,
        progress=None,
        billed=Billed.NO,
        cancel_requested_at=None,
        result=None,
        error=None,
        updated_at=job.created_at,
        submitted_at=None,
        started_at=None,
        finished_at=None,
    )
