"""
What happened to a job, told once per move: the rows of `job_events`, the payloads of webhooks, of
the feed and of streams.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic_core import to_json
from ulid import ULID

from generation.job import Billed, Job, JobState
from generation.job_document import job_document, rfc3339

#: Moves that callers are told of, by the state they lead to.
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
#: No move: the upstream has come further. Written only where a webhook or an endpoint asks for it.
PROGRESS = "job.progress"
#: What happens to a webhook endpoint of a tenant's.
ENDPOINT_EVENTS = ("endpoint.disabled", "endpoint.test")
#: Moves that only an operator cares for.
KEPT = {JobState.SUBMITTING: "job.submitting", JobState.QUEUED: "job.requeued"}

#: What a webhook may ask for.
PUBLIC_EVENTS = (QUEUED, *TOLD.values(), RECOVERED, PROGRESS)
#: What the feed of events has.
FEED_EVENTS = (*PUBLIC_EVENTS, *ENDPOINT_EVENTS)
#: What a webhook is told that asked for nothing in particular: every ending, also a late one.
ENDINGS = ("job.succeeded", "job.failed", "job.canceled", "job.expired", RECOVERED)

#: After any change of a job, news of its progress is not written for this long.
PROGRESS_EVERY = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, with the payload as it will be signed and sent."""

    id: str
    #: None for an event of `ENDPOINT_EVENTS`; its `sequence` is 0, and it has no state.
    job_id: str | None
    tenant: str
    #: 1, 2, 3 … within the job.
    sequence: int
    type: str
    state: JobState | None
    reason: str
    #: Where the job was bound to then, for those who explain it.
    station: str | None = None
    key: str | None = None
    created_at: datetime
    body: bytes | None


def event_of(
    before: Job | None, after: Job, base_url: str = "", *, watched: bool = False
) -> Event | None:
    """
    The event of this change, or None where there is nothing to tell. `watched`: somebody else than
    the job's own webhook wants to hear of its progress.
    """
    event_type = type_of(before, after, watched=watched)
    if event_type is None:
        return None
    # A birth is written again where its commit went unanswered, and must be told under one id.
    event_id = new_event_id() if before else f"evt_{after.id.removeprefix('job_')}"
    sequence = after.sequence + 1 if before else 1
    body = None
    if told(after, event_type):
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
    """Begins with its time of birth, like all ids; no dot, which signatures could not bear."""
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
    """
    Whether this is news of progress that anybody asked for. Too soon after the change before it, it
    is left out: the next one tells more.
    """
    further = after.state is JobState.RUNNING and after.progress != before.progress
    rested = after.updated_at - before.updated_at >= PROGRESS_EVERY
    return further and rested and (watched or wants(after, PROGRESS))


def told(job: Job, event_type: str) -> bool:
    """Whether a payload is made. A job's birth is told by the 202, and again only to who asks."""
    return wants(job, QUEUED) if event_type == QUEUED else event_type in PUBLIC_EVENTS


def wants(job: Job, event_type: str) -> bool:
    """Whether the job's webhook asked for this event."""
    if job.webhook is None or event_type not in PUBLIC_EVENTS:
        return False
    return event_type in (job.webhook.events or ENDINGS)


def payload(event_id: str, event_type: str, job: Job, base_url: str) -> bytes:
    """
    The webhook's body, compact JSON in UTF-8. Serialised once; these bytes are signed and sent.
    """
    return payload_of(
        event_id, event_type, job.updated_at, job.sequence + 1, job_document(job, base_url)
    )


def payload_of(
    event_id: str, event_type: str, at: datetime, sequence: int, data: dict[str, object]
) -> bytes:
    """The body of any event: what happened when, and to what."""
    document = {
        "type": event_type,
        "timestamp": rfc3339(at),
        "data": data,
        "id": event_id,
        "sequence": sequence,
    }
    return to_json(document)


def progress_news(job: Job, base_url: str) -> bytes:
    """
    What a stream tells of progress that was not written down: a payload without `id` and
    `sequence`, for nobody can ask for it again.
    """
    document = {
        "type": PROGRESS,
        "timestamp": rfc3339(job.updated_at),
        "data": job_document(job, base_url),
    }
    return to_json(document)


def as_born(job: Job) -> Job:
    """
    The job as it was when it was ordered. A birth that nobody asked to be told of is not written
    down, and can still be told: what it is made of never changes.
    """
    return job.but(
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
