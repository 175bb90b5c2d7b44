"""
Jobs as rows in Flower.

Flower knows tasks by the events that Celery's workers publish. A job is shown as one task with the
job's own id, from its order to its end: each of its moves is told in such an event, and a worker
has Celery tell none, which would push every one by itself. `generation.flower_publisher` publishes
them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from generation.job import Job, JobState

LONGEST_VALUE = 40
LONGEST_SUMMARY = 200
LONGEST_RESULT = 2000

ENDINGS: Mapping[JobState, str] = {
    JobState.SUCCEEDED: "task-succeeded",
    JobState.FAILED: "task-failed",
    JobState.EXPIRED: "task-failed",
    JobState.CANCELED: "task-revoked",
}


def summary(job: Job) -> str:
    """The request in one short line: prompts cut, pictures and links named but not shown."""
    parts = [f"{name}={shown}" for name, value in job.input.items() if (shown := brief(value))]
    line = ", ".join(parts)
    return f"({line if len(line) <= LONGEST_SUMMARY else line[:LONGEST_SUMMARY] + '…'})"


def brief(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool() | int() | float():
            return str(value)
        case str() if value.startswith(("http://", "https://")):
            return "<link>"
        case str() if value.startswith("data:") or (len(value) > 400 and " " not in value):
            return "<file>"
        case str():
            return repr(value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "…")
        case list() | tuple():
            return f"<{len(cast(list[Any], value))} items>"
        case _:
            return "<…>"


def row_event(job: Job, now: datetime) -> tuple[str, dict[str, Any]] | None:
    """The Celery event that shows where the job stands; None where Celery has none for it."""
    fields: dict[str, Any] = {"uuid": job.id, "name": job.type}
    if job.state is JobState.QUEUED and job.attempts == 0:
        return "task-sent", fields | ordered(job) | {
            "queue": "genq.submit",
            "exchange": "",
            "routing_key": "genq.submit",
        }
    if job.state is JobState.SUBMITTING:
        return "task-received", fields | ordered(job)
    if job.state in {JobState.QUEUED, JobState.IN_DOUBT}:
        return "task-retried", fields | {"exception": job.reason, "traceback": ""}
    if job.state is JobState.RUNNING:
        return "task-started", fields
    ending = ENDINGS.get(job.state)
    if ending is None:
        return None
    if ending == "task-succeeded":
        runtime = ((job.finished_at or now) - job.created_at).total_seconds()
        return ending, fields | {"result": result_text(job), "runtime": runtime}
    if ending == "task-failed":
        return ending, fields | {"exception": reason_text(job), "traceback": ""}
    return ending, fields | {"terminated": False, "signum": None, "expired": False}


def ordered(job: Job) -> dict[str, Any]:
    """What Celery tells of a task that has not begun."""
    return {
        "args": summary(job),
        "kwargs": "{}",
        "retries": 0,
        "eta": None,
        "expires": None,
        "root_id": job.id,
        "parent_id": None,
    }


def result_text(job: Job) -> str:
    """The asset URLs, or the texts, of a finished job."""
    if job.result is None:
        return ""
    found = [asset.url for asset in job.result.assets] or list(job.result.texts)
    return " ".join(found)[:LONGEST_RESULT]


def reason_text(job: Job) -> str:
    if job.error is None:
        return job.reason
    return f"{job.error.code}: {job.error.message}"[:LONGEST_RESULT]
