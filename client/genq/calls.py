"""The API's calls as steps."""

import json
import re
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, TypedDict
from urllib.parse import quote
from uuid import uuid4

from genq.batch import Batch, parse_batch
from genq.errors import NotEnded, NotGenq
from genq.job import Job, parse_job
from genq.poll_interval import poll_pause
from genq.steps import Pause, Reply, Send, Steps, with_retries, without_retries

JSON = {"content-type": "application/json"}
#: Characters an HTTP header may hold.
KEY = re.compile(r"[!-~]{1,255}")
#: Seconds the API waits for a job's end at most.
LONGEST_WAIT = 60


class SubmitOptions(TypedDict, total=False):
    """Keyword arguments of `submit` and `act`."""

    #: URL that receives the job's events.
    webhook: str | None
    #: Event types for the webhook, such as `job.succeeded`; by default every end of the job.
    events: Sequence[str]
    #: Your own data, returned with the job.
    metadata: Mapping[str, str] | None
    #: When the job expires: a time (RFC 3339), a duration such as `"10m"`, or seconds.
    deadline: str | float | None
    #: -10 to 10: your waiting jobs with a higher priority are submitted first.
    priority: int | None
    #: Seconds (at most 60) for which the API waits for the job's end before it answers.
    wait: float
    #: 1 to 255 visible ASCII characters. Submitting again with the same key returns the same job.
    idempotency_key: str | None


def submit(
    operation: str | None,
    given: Mapping[str, Any] | None,
    options: SubmitOptions,
    patience: float,
    **target: Any,
) -> Steps[Job]:
    """Submit a job, with retries: its idempotency key makes sure that one job is created.

    `target` are further arguments of `build_order`.
    """
    fields: dict[str, Any] = {**target, **options}
    headers = {**JSON, "idempotency-key": checked_key(fields.pop("idempotency_key", None))}
    if (wait := fields.pop("wait", 0)) > 0:
        headers["prefer"] = f"wait={min(round(wait), LONGEST_WAIT)}"
    order = build_order(operation, given, **fields)
    reply = yield from with_retries(Send("POST", "/v1/jobs", json=order, headers=headers), patience)
    return read_job(reply)


def build_order(
    operation: str | None,
    given: Mapping[str, Any] | None,
    *,
    parent: str | None = None,
    action: str | None = None,
    webhook: str | None = None,
    events: Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
    deadline: str | float | None = None,
    priority: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Build the body of a submit, without fields that are None.

    `operation` is `provider.operation`. Raises `ValueError` or `TypeError` for invalid arguments.
    """
    check_types(given, events)
    order: dict[str, Any] = {"input": dict(given or {})}
    if operation is not None:
        provider, _, name = operation.partition(".")
        if not (provider and name):
            raise ValueError(f"{operation!r} is not provider.operation, such as kling.text2video")
        order |= {"provider": provider, "operation": name}
    if webhook is not None:
        order["webhook"] = {"url": webhook} | ({"events": list(events)} if events else {})
    fields = {
        "parent": parent,
        "action": action,
        "metadata": metadata or None,
        "deadline": deadline,
        "priority": priority,
    }
    given_ones = {name: value for name, value in fields.items() if value is not None}
    return order | given_ones | dict(extra or {})


def check_types(given: object, events: object) -> None:
    """Raise `TypeError` for a text where a mapping or a list is needed."""
    if given is not None and not isinstance(given, Mapping):
        raise TypeError(
            'input must be a mapping of fields to values, as in {"prompt": "a paper boat"}, and not'
            f" a {type(given).__name__}"
        )
    if isinstance(events, str):
        raise TypeError(f"events must be a list, as in [{events!r}], and not a string")


def submit_batch(
    orders: Sequence[Mapping[str, Any]], mode: str, key: str | None, patience: float
) -> Steps[Batch]:
    """Submit these together, with retries; an idempotency key prevents duplicates."""
    body = {"jobs": [dict(order) for order in orders], "mode": mode}
    headers = {**JSON, "idempotency-key": checked_key(key)}
    send = Send("POST", "/v1/jobs/batch", json=body, headers=headers)
    return read_batch((yield from with_retries(send, patience)))


def checked_key(key: str | None) -> str:
    """Return the key, or a new one. Raises `ValueError` if no HTTP header can carry it."""
    if key is not None and not KEY.fullmatch(key):
        raise ValueError("an idempotency key has 1 to 255 visible ASCII characters, and no spaces")
    return key or str(uuid4())


def get_batch(batch_id: str, patience: float) -> Steps[Batch]:
    return read_batch((yield from with_retries(Send("GET", batch_path(batch_id)), patience)))


def cancel_batch(batch_id: str, patience: float) -> Steps[Batch]:
    """Idempotent, so it is retried."""
    send = Send("POST", batch_path(batch_id, "cancel"))
    return read_batch((yield from with_retries(send, patience)))


def get(job_id: str, patience: float) -> Steps[Job]:
    reply = yield from with_retries(Send("GET", job_path(job_id)), patience)
    return read_job(reply)


def cancel(job_id: str, patience: float) -> Steps[Job]:
    """Idempotent, so it is retried."""
    reply = yield from with_retries(Send("POST", job_path(job_id, "cancel")), patience)
    return read_job(reply)


def give_input(job_id: str, given: Mapping[str, Any]) -> Steps[Job]:
    reply = yield from without_retries(
        Send("POST", job_path(job_id, "input"), json=given, headers=JSON)
    )
    return read_job(reply)


def resolve(job_id: str, upstream_id: str | None, then: str | None) -> Steps[Job]:
    """Not retried: the job may have changed since."""
    if (upstream_id is None) == (then is None):
        raise ValueError("give upstream_id, or then ('requeue' or 'fail'), and not both")
    created, absent = {"upstream_id": upstream_id}, {"not_created": True, "then": then}
    body = absent if upstream_id is None else created
    send = Send("POST", job_path(job_id, "resolve"), json=body, headers=JSON)
    return read_job((yield from without_retries(send)))


def erase(job_id: str, patience: float) -> Steps[Job]:
    """Idempotent, so it is retried."""
    return read_job((yield from with_retries(Send("DELETE", job_path(job_id)), patience)))


def wait(job_id: str, timeout: float | None, patience: float) -> Steps[Job]:
    """Return the ended job. Raises `NotEnded` after `timeout` seconds."""
    began = monotonic()
    while True:
        job = yield from get(job_id, patience)
        if job.ended:
            return job
        waited = monotonic() - began
        pause = poll_pause(waited, job.retry_after)
        if timeout is not None:
            if waited >= timeout:
                raise NotEnded(f"{job_id} is {job.state} after {timeout:g} s; it continues")
            pause = min(pause, timeout - waited)
        yield Pause(pause)


def page(filters: Mapping[str, str], patience: float) -> Steps[tuple[list[Job], str | None]]:
    """Return one page of jobs and the cursor of the next page."""
    reply = yield from with_retries(Send("GET", "/v1/jobs", params=filters), patience)
    return [parse_job(each) for each in reply.document["data"]], reply.document["next_cursor"]


def document(path: str, params: Mapping[str, str], patience: float) -> Steps[Reply]:
    """Return the JSON object at a path."""
    return (yield from with_retries(Send("GET", path, params=params), patience))


def job_path(job_id: str, rest: str = "") -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}" + (f"/{rest}" if rest else "")


def batch_path(batch_id: str, rest: str = "") -> str:
    return f"/v1/batches/{quote(batch_id, safe='')}" + (f"/{rest}" if rest else "")


def read_batch(reply: Reply) -> Batch:
    try:
        return parse_batch(reply.document)
    except (KeyError, ValueError, TypeError) as error:
        raise NotGenq(f"the answer is not a batch: {error!r}") from None


def read_job(reply: Reply) -> Job:
    try:
        return parse_job(reply.document, reply.retry_after)
    except (KeyError, ValueError, TypeError) as error:
        raise NotGenq(f"the answer is not a job: {error!r}") from None


def encode_body(send: Send) -> bytes | None:
    # ASCII with escapes, so that lone surrogates reach the API, which rejects them.
    return None if send.json is None else json.dumps(send.json).encode()
