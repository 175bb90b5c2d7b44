"""The JSON document of an explanation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from generation.explain.bill import bill_in_words
from generation.explain.job_history import DeliverySummary, JobHistory
from generation.explain.moves import attempts_of, sentence, story_of
from generation.explain.outlook import outlook
from generation.job import Job, JobState
from generation.job_document import rfc3339
from generation.webhooks.delivery import DeliveryState


def explanation_document(history: JobHistory, now: datetime) -> dict[str, Any]:
    """Return JSON values only."""
    job = history.job
    return {
        "object": "explanation",
        "job": job.id,
        "type": job.type,
        "state": job.state.value,
        "summary": summary(job),
        "waits_because": None if job.is_terminal else job.reason or None,
        "next": [{"what": each.what, "at": rfc3339(each.at)} for each in outlook(history, now)],
        "billed": {"billed": job.billed.value, "words": bill_in_words(job)},
        "story": list(story_of(history.moves)),
        "attempts": attempts_of(history.moves),
        "upstream": {
            "station": job.station,
            "key": job.key,
            "dialect": job.dialect,
            "id": job.upstream_id,
            "words": job.last_reply or None,
        },
        "deliveries": [delivery_document(delivery) for delivery in history.deliveries],
        "deadline": rfc3339(job.deadline),
    }


def summary(job: Job) -> str:
    """Return the job's situation in one sentence."""
    if job.error is not None and job.state is not JobState.SUCCEEDED:
        return sentence(f"{STANDING[job.state]}: {job.error.code}: {job.error.message}")
    where = f" at {job.station} (key {job.key})" if job.station else ""
    progress = f", {job.progress} % done" if job.progress and not job.is_terminal else ""
    reason = f": {job.reason}" if job.reason else ""
    canceling = ", and is being canceled" if job.cancel_requested_at and not job.is_terminal else ""
    return sentence(f"{STANDING[job.state]}{where}{progress}{canceling}{reason}")


STANDING: Mapping[JobState, str] = {
    JobState.QUEUED: "It waits to be sent",
    JobState.SUBMITTING: "It is being sent",
    JobState.RUNNING: "It runs upstream",
    JobState.AWAITING_INPUT: "It waits for your input",
    JobState.IN_DOUBT: "It may be upstream, which nobody knows yet,",
    JobState.SUCCEEDED: "It succeeded",
    JobState.FAILED: "It failed",
    JobState.CANCELED: "It was canceled",
    JobState.EXPIRED: "It expired",
}


def delivery_document(delivery: DeliverySummary) -> dict[str, Any]:
    waiting = delivery.state is DeliveryState.QUEUED
    return {
        "id": delivery.id,
        "event": delivery.event_type,
        "event_id": delivery.event_id,
        "url": delivery.url,
        "state": delivery.state.value,
        "words": delivery_in_words(delivery),
        "attempts": delivery.attempts,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error or None,
        "next_attempt_at": rfc3339(delivery.wake_at) if waiting else None,
        "created_at": rfc3339(delivery.created_at),
        "finished_at": rfc3339(delivery.finished_at),
        "tries": [
            {
                "number": each.number,
                "at": rfc3339(each.at),
                "status": each.status,
                "detail": each.detail or None,
            }
            for each in delivery.attempt_log
        ],
    }


def delivery_in_words(delivery: DeliverySummary) -> str:
    times = f"{delivery.attempts} attempt{'' if delivery.attempts == 1 else 's'}"
    why = f": {delivery.last_error}" if delivery.last_error else ""
    match delivery.state:
        case DeliveryState.DELIVERED:
            return f"Delivered in {times}."
        case DeliveryState.FAILED:
            return sentence(f"Given up after {times}{why}")
        case DeliveryState.CANCELED:
            return sentence(f"Withdrawn after {times}{why}")
        case DeliveryState.QUEUED if delivery.attempts:
            return sentence(f"Not delivered in {times}, and tried again{why}")
        case DeliveryState.QUEUED:
            return "About to be delivered."
