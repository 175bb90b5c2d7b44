"""Shows jobs as tasks in Flower, by events like those that Celery's workers publish.

A job is one task with the job's own id, from its submission to its end, and each of its moves is
one event. Celery itself sends no events of tasks, because it would push every one separately.
`generation.flower_publisher` publishes them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from generation.job import Job, JobState

MAX_VALUE_CHARACTERS = 40
MAX_SUMMARY_CHARACTERS = 200
MAX_RESULT_CHARACTERS = 2000
#: A text without spaces that is longer than this is taken to be an encoded file.
MAX_WORD_CHARACTERS = 400

END_EVENTS: Mapping[JobState, str] = {
    JobState.SUCCEEDED: "task-succeeded",
    JobState.FAILED: "task-failed",
    JobState.EXPIRED: "task-failed",
    JobState.CANCELED: "task-revoked",
}


def input_summary(job: Job) -> str:
    """Return the job's input as one short line: prompts are cut, files and links are not shown."""
    parts = [f"{name}={text}" for name, value in job.input.items() if (text := short_value(value))]
    line = ", ".join(parts)
    if len(line) > MAX_SUMMARY_CHARACTERS:
        line = line[:MAX_SUMMARY_CHARACTERS] + "…"
    return f"({line})"


def short_value(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool() | int() | float():
            return str(value)
        case str() if value.startswith(("http://", "https://")):
            return "<link>"
        case str() if value.startswith("data:") or is_encoded_file(value):
            return "<file>"
        case str():
            is_long = len(value) > MAX_VALUE_CHARACTERS
            return repr(value[:MAX_VALUE_CHARACTERS] + "…" if is_long else value)
        case list() | tuple():
            return f"<{len(cast(list[Any], value))} items>"
        case _:
            return "<…>"


def is_encoded_file(text: str) -> bool:
    return len(text) > MAX_WORD_CHARACTERS and " " not in text


def job_event(job: Job, now: datetime) -> tuple[str, dict[str, Any]] | None:
    """Return the type and the fields of the Celery event for the job's state.

    Returns None for a state that Celery has no event for. `in_doubt` is shown as a retry.
    """
    fields: dict[str, Any] = {"uuid": job.id, "name": job.type}
    match job.state:
        case JobState.QUEUED if job.attempts == 0:
            to = {"queue": "genq.submit", "exchange": "", "routing_key": "genq.submit"}
            return "task-sent", fields | unstarted_fields(job) | to
        case JobState.SUBMITTING:
            return "task-received", fields | unstarted_fields(job)
        case JobState.QUEUED | JobState.IN_DOUBT:
            return "task-retried", fields | {"exception": job.reason, "traceback": ""}
        case JobState.RUNNING:
            return "task-started", fields
        case _:
            kind = END_EVENTS.get(job.state)
            return None if kind is None else (kind, fields | end_fields(kind, job, now))


def unstarted_fields(job: Job) -> dict[str, Any]:
    """Return Celery's fields of a task that has not started."""
    return {
        "args": input_summary(job),
        "kwargs": "{}",
        "retries": 0,
        "eta": None,
        "expires": None,
        "root_id": job.id,
        "parent_id": None,
    }


def end_fields(kind: str, job: Job, now: datetime) -> dict[str, Any]:
    """Return Celery's fields of a task that has ended; the runtime is in seconds."""
    match kind:
        case "task-succeeded":
            runtime = ((job.finished_at or now) - job.created_at).total_seconds()
            return {"result": result_text(job), "runtime": runtime}
        case "task-failed":
            return {"exception": error_text(job), "traceback": ""}
        case _:
            return {"terminated": False, "signum": None, "expired": False}


def result_text(job: Job) -> str:
    """Return the asset URLs of a finished job, or its texts if it has no assets."""
    if job.result is None:
        return ""
    parts = [asset.url for asset in job.result.assets] or list(job.result.texts)
    return " ".join(parts)[:MAX_RESULT_CHARACTERS]


def error_text(job: Job) -> str:
    if job.error is None:
        return job.reason
    return f"{job.error.code}: {job.error.message}"[:MAX_RESULT_CHARACTERS]
