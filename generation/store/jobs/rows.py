"""Jobs as rows, and rows as jobs."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import CursorResult

from generation.job import Billed, DoubtResolution, Job, JobError, JobState, Result, Webhook
from generation.store.schema import EPOCH, jobs

_RESULT = TypeAdapter(Result)
_ERROR = TypeAdapter(JobError)

#: Columns that are set on insert and never written again.
FIXED = frozenset(
    {
        "id",
        "tenant",
        "api_key_id",
        "quota_key",
        "provider",
        "operation",
        "model",
        "input",
        "metadata",
        "webhook",
        "parent_id",
        "priority",
        "client_id",
        "batch_id",
        "created_at",
    }
)
FIXED_NAMES = tuple(FIXED)
MUTABLE = tuple(field.name for field in fields(Job) if field.name not in FIXED)
#: Fifty attributes at once: a row is made for every submission.
_fixed = attrgetter(*FIXED_NAMES)
_mutable = attrgetter(*MUTABLE)
#: The values of a job of which nothing was read.
_BLANK = Job(
    **dict.fromkeys(("id", "tenant", "api_key_id", "provider", "operation"), ""),
    input={},
    **dict.fromkeys(("created_at", "updated_at", "deadline"), EPOCH),
)

#: Fields whose column has another form.
WRITERS: Mapping[str, Callable[[Any], Any]] = {
    "state": lambda state: state.value,
    "billed": lambda billed: billed.value,
    "resolved_as": lambda then: then and then.value,
    "tried": lambda tried: list(tried) or None,
    "result": lambda result: _RESULT.dump_python(result, mode="json") if result else None,
    "error": lambda error: _ERROR.dump_python(error, mode="json") if error else None,
}

#: Documents that are taken as they are.
DOCUMENTS = ("input", "metadata", "upstream_details")
NO_DOCUMENT: Mapping[str, Any] = {}

#: Columns that no errand reads before it changes the job. The input may be megabytes of pictures.
HEAVY = frozenset({"input", "metadata", "webhook", "last_reply", "result", "error"})
LEAN_COLUMNS = tuple(column for column in jobs.c if column.name not in HEAVY)
#: All columns that a look needs, and to see whether there is anything to write.
LOOK_COLUMNS = tuple(
    jobs.c[name]
    for name in (
        "id",
        "tenant",
        "api_key_id",
        "provider",
        "operation",
        "model",
        "state",
        "version",
        "wake_at",
        "looked_at",
        "reason",
        "station",
        "key",
        "dialect",
        "upstream_id",
        "upstream_details",
        "misses",
        "empty_looks",
        "progress",
        "answered_at",
        "created_at",
        "updated_at",
        "started_at",
        "finished_at",
        "deadline",
    )
)


def job_row(job: Job) -> dict[str, Any]:
    """Return the whole row of a new job."""
    row = dict(zip(FIXED_NAMES, _fixed(job), strict=True))
    if job.webhook:
        row["webhook"] = {"url": job.webhook.url, "events": list(job.webhook.events)}
    return row | _written(dict(zip(MUTABLE, _mutable(job), strict=True)))


def changed_row(before: Job, after: Job) -> dict[str, Any]:
    """Return the columns that a save has to write: moves leave most of a job unchanged."""
    values = zip(MUTABLE, _mutable(before), _mutable(after), strict=True)
    return _written({name: new for name, old, new in values if new is not old and new != old})


def _written(values: dict[str, Any]) -> dict[str, Any]:
    for name, write in WRITERS.items():
        if name in values:
            values[name] = write(values[name])
    return values


def read_jobs(found: CursorResult[*tuple[Any, ...]], *, newer: int = 0) -> list[Job]:
    """Return the jobs of these rows, in order, with `newer` added to their versions.

    `mappings()` would take longer than reading them.
    """
    names = tuple(found.keys())
    return [job_of(dict(zip(names, row, strict=True)), newer) for row in found]


def job_of(values: dict[str, Any], newer: int = 0) -> Job:
    """Return the job of a row; fields that were not read have initial values.

    Raises if a column cannot be read.
    """
    for name in DOCUMENTS:
        if type(values.get(name, NO_DOCUMENT)) is not dict:
            raise TypeError(f"{name} is no document")
    values["state"] = JobState(values["state"])
    values["version"] += newer
    if billed := values.get("billed"):
        values["billed"] = Billed(billed)
    if then := values.get("resolved_as"):
        values["resolved_as"] = DoubtResolution(then)
    if "tried" in values:
        values["tried"] = tuple(values["tried"] or ())
    if webhook := values.get("webhook"):
        values["webhook"] = Webhook(url=webhook["url"], events=tuple(webhook["events"]))
    if result := values.get("result"):
        values["result"] = _RESULT.validate_python(result)
    if error := values.get("error"):
        values["error"] = _ERROR.validate_python(error)
    return _BLANK.evolve(**values)
