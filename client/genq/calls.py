"""
The calls of the API, as steps.
"""

import json
import re
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from genq.batch import Batch, parse_batch
from genq.errors import NotEnded, NotGenq
from genq.job import Job, parse_job
from genq.poll_interval import poll_pause
from genq.steps import Pause, Reply, Send, Steps, with_retries, without_retries

JSON = {"content-type": "application/json"}
#: What an HTTP header may hold.
KEY = re.compile(r"[!-~]{1,255}")
#: The longest that the API itself waits for a job's end.
LONGEST_WAIT = 60
#: The most jobs that one page of a list has.
PAGE = 100


def submit(order: Mapping[str, Any], key: str | None, wait: float, patience: float) -> Steps[Job]:
    """
    Order a job. It may be sent several times and is taken once: it carries an idempotency key.
    """
    headers = {**JSON, "idempotency-key": checked_key(key)}
    if wait > 0:
        headers["prefer"] = f"wait={min(round(wait), LONGEST_WAIT)}"
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
    """
    The body of an order, with nothing in it that was not given. Raises `ValueError` or `TypeError`
    for what cannot be one.
    """
    check_types(given, events)
    order: dict[str, Any] = {"input": dict(given or {})}
    if operation is not None:
        provider, _, name = operation.partition(".")
        if not (provider and name):
            raise ValueError(f"{operation!r} is not provider.operation, as in kling.text2video")
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
    """Raises `TypeError` for a text where several values are wanted."""
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
    """Order these together. They may be sent several times and are taken once."""
    body = {"jobs": [dict(order) for order in orders], "mode": mode}
    headers = {**JSON, "idempotency-key": checked_key(key)}
    send = Send("POST", "/v1/jobs/batch", json=body, headers=headers)
    return read_batch((yield from with_retries(send, patience)))


def checked_key(key: str | None) -> str:
    """The key, or a new one. Raises `ValueError` for one that no header can carry."""
    if key is not None and not KEY.fullmatch(key):
        raise ValueError("an idempotency key has 1 to 255 visible ASCII characters, and no spaces")
    return key or str(uuid4())


def get_batch(batch_id: str, patience: float) -> Steps[Batch]:
    return read_batch((yield from with_retries(Send("GET", batch_path(batch_id)), patience)))


def cancel_batch(batch_id: str, patience: float) -> Steps[Batch]:
    """Asking twice changes nothing, so it may be repeated."""
    send = Send("POST", batch_path(batch_id, "cancel"))
    return read_batch((yield from with_retries(send, patience)))


def get(job_id: str, patience: float) -> Steps[Job]:
    reply = yield from with_retries(Send("GET", job_path(job_id)), patience)
    return read_job(reply)


def cancel(job_id: str, patience: float) -> Steps[Job]:
    """Asking twice changes nothing, so it may be repeated."""
    reply = yield from with_retries(Send("POST", job_path(job_id, "cancel")), patience)
    return read_job(reply)


def give_input(job_id: str, given: Mapping[str, Any]) -> Steps[Job]:
    reply = yield from without_retries(
        Send("POST", job_path(job_id, "input"), json=given, headers=JSON)
    )
    return read_job(reply)


def resolve(job_id: str, upstream_id: str | None, then: str | None) -> Steps[Job]:
    """Sent once: the job may have moved on since."""
    if (upstream_id is None) == (then is None):
        raise ValueError("give upstream_id, or then ('requeue' or 'fail'), and not both")
    created, absent = {"upstream_id": upstream_id}, {"not_created": True, "then": then}
    body = absent if upstream_id is None else created
    send = Send("POST", job_path(job_id, "resolve"), json=body, headers=JSON)
    return read_job((yield from without_retries(send)))


def erase(job_id: str, patience: float) -> Steps[Job]:
    """Asking twice changes nothing, so it may be repeated."""
    return read_job((yield from with_retries(Send("DELETE", job_path(job_id)), patience)))


def wait(job_id: str, timeout: float | None, patience: float) -> Steps[Job]:
    """The job at its end. Raises `NotEnded` when `timeout` seconds have passed."""
    began = monotonic()
    while True:
        job = yield from get(job_id, patience)
        if job.ended:
            return job
        waited = monotonic() - began
        pause = poll_pause(waited, job.retry_after)
        if timeout is not None:
            if waited >= timeout:
                raise NotEnded(f"{job_id} is {job.state} after {timeout:g} s; it goes on")
            pause = min(pause, timeout - waited)
        yield Pause(pause)


def page(filters: Mapping[str, str], patience: float) -> Steps[tuple[list[Job], str | None]]:
    """One page of jobs, and the cursor of the next one."""
    reply = yield from with_retries(Send("GET", "/v1/jobs", params=filters), patience)
    return [parse_job(each) for each in reply.document["data"]], reply.document["next_cursor"]


def document(path: str, params: Mapping[str, str], patience: float) -> Steps[Reply]:
    """Whatever the API has at a path."""
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
    # Plain ASCII: text that no encoding has is the API's to refuse.
    return None if send.json is None else json.dumps(send.json).encode()
