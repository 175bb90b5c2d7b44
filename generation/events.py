"""
What happened to a job, told once per move: the rows of `job_events` and the payloads of webhooks.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from ulid import ULID

from generation.document import job_document, rfc3339
from generation.job import Job, JobState

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
#: Moves that only an operator cares for.
KEPT = {JobState.SUBMITTING: "job.submitting", JobState.QUEUED: "job.requeued"}

#: What a webhook may ask for.
PUBLIC_EVENTS = (QUEUED, *TOLD.values(), RECOVERED)
#: What a webhook is told that asked for nothing in particular: every ending, also a late one.
ENDINGS = ("job.succeeded", "job.failed", "job.canceled", "job.expired", RECOVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, with the payload as it will be signed and sent."""

    id: str
    job_id: str
    tenant: str
    #: 1, 2, 3 … within the job.
    sequence: int
    type: str
    state: JobState
    reason: str
    created_at: datetime
    body: bytes | None


def event_of(before: Job | None, after: Job, base_url: str = "") -> Event | None:
    """The event of this move, or None where the state stayed as it was."""
    event_type = type_of(before, after)
    if event_type is None:
        return None
    # A birth is written again where its commit went unanswered, and must be told under one id.
    event_id = f"evt_{ULID()}" if before else f"evt_{after.id.removeprefix('job_')}"
    return Event(
        id=event_id,
        job_id=after.id,
        tenant=after.tenant,
        sequence=after.sequence + 1,
        type=event_type,
        state=after.state,
        reason=after.error.message if after.error else after.reason,
        created_at=after.updated_at,
        body=payload(event_id, event_type, after, base_url) if told(after, event_type) else None,
    )


def type_of(before: Job | None, after: Job) -> str | None:
    if before is None:
        return QUEUED
    if before.state is after.state:
        return None
    if before.state is JobState.EXPIRED:
        return RECOVERED
    if before.state is JobState.AWAITING_INPUT and after.state is JobState.RUNNING:
        return "job.resumed"
    return TOLD.get(after.state) or KEPT[after.state]


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
    document = {
        "type": event_type,
        "timestamp": rfc3339(job.updated_at),
        "data": job_document(job, base_url),
        "id": event_id,
        "sequence": job.sequence + 1,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
