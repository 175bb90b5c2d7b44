"""The JSON document of a job: the body of `GET /v1/jobs/{id}` and the `data` of every webhook."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from generation.contract.status import Asset
from generation.job import Job, JobError, JobState

#: Longer strings in the input (mostly pictures in base64) are shortened.
LONG_STRING = 2000
SHOWN = 60


def job_document(job: Job, base_url: str = "", *, position: int | None = None) -> dict[str, Any]:
    """Return JSON values only, with times in RFC 3339.

    URLs are paths unless `base_url` is given. `position` is the job's position in its wait queue,
    if it was looked up.
    """
    result = job.result
    return {
        "id": job.id,
        "object": "job",
        "provider": job.provider,
        "operation": job.operation,
        "state": job.state.value,
        "reason": job.reason or None,
        "position": position,
        "progress": job.progress,
        "priority": job.priority,
        "input": shortened(job.input),
        "metadata": dict(job.metadata),
        "assets": [asset_document(asset) for asset in result.assets] if result else [],
        "texts": list(result.texts) if result else [],
        "actions": [action.label for action in result.actions] if result else [],
        "details": dict(result.details) if result else {},
        "error": error_document(job.error, job) if job.error else None,
        "billed": job.billed.value,
        "attempts": job.attempts,
        "parent": job.parent_id,
        "client_id": job.client_id,
        "batch": job.batch_id,
        "canceling": job.cancel_requested_at is not None and not job.is_terminal,
        "expired_before_start": job.state is JobState.EXPIRED and job.attempts == 0,
        "upstream": {
            "station": job.station,
            "key": job.key,
            "dialect": job.dialect,
            "id": job.upstream_id,
        },
        "webhook": {"url": job.webhook.url, "events": list(job.webhook.events)}
        if job.webhook
        else None,
        "created_at": rfc3339(job.created_at),
        "updated_at": rfc3339(job.updated_at),
        "submitted_at": rfc3339(job.submitted_at),
        "started_at": rfc3339(job.started_at),
        "finished_at": rfc3339(job.finished_at),
        "deadline": rfc3339(job.deadline),
        "erased_at": rfc3339(job.erased_at),
        "urls": {
            "self": f"{base_url}/v1/jobs/{job.id}",
            "cancel": f"{base_url}/v1/jobs/{job.id}/cancel",
            "events": f"{base_url}/v1/jobs/{job.id}/events",
            "stream": f"{base_url}/v1/jobs/{job.id}/stream",
        },
    }


def asset_document(asset: Asset) -> dict[str, Any]:
    return {
        "type": asset.type.value,
        "url": asset.url,
        "role": asset.role,
        "upstream_id": asset.upstream_id,
        "duration": asset.duration,
        "width": asset.width,
        "height": asset.height,
        "title": asset.title,
        "expires_at": rfc3339(asset.expires_at),
    }


def error_document(error: JobError, job: Job) -> dict[str, Any]:
    upstream = {"status": error.upstream_status, "code": error.upstream_code}
    return {
        "code": error.code.value,
        "message": error.message,
        "retryable": error.retryable,
        "billed": job.billed.value,
        "upstream": upstream if any(value is not None for value in upstream.values()) else None,
    }


def rfc3339(moment: datetime | None) -> str | None:
    """Return the time as `2026-01-31T12:00:00.123Z`."""
    if moment is None:
        return None
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def shortened(value: Any) -> Any:
    """Return the same JSON value, with long strings cut to their beginning and length."""
    match value:
        case str():
            # The most frequent type first: every submission passes through here.
            cut = len(value) > LONG_STRING
            return f"{value[:SHOWN]}… ({len(value)} characters)" if cut else value
        case None | bool() | int() | float():
            return value
        case list() | tuple():
            return [shortened(entry) for entry in cast(list[Any], value)]
        case Mapping():
            entries = cast(Mapping[str, Any], value)
            return {name: shortened(entry) for name, entry in entries.items()}
        case _:
            return value
