"""
The calls of the API, as steps.
"""

import json
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from genq.batch import Batch, batch_of
from genq.errors import NotEnded, NotGenq
from genq.job import Job, job_of
from genq.pacing import next_question
from genq.steps import Pause, Reply, Send, Steps, once, steadily

JSON = {"content-type": "application/json"}
#: The longest that the API itself waits for a job's end.
LONGEST_WAIT = 60
#: The most jobs that one page of a list has.
PAGE = 100


def submit(order: Mapping[str, Any], key: str | None, wait: float, patience: float) -> Steps[Job]:
    """
    Order a job. It may be sent several times and is taken once: it carries an idempotency key.
    """
    headers = {**JSON, "idempotency-key": key or str(uuid4())}
    if wait > 0:
        headers["prefer"] = f"wait={min(round(wait), LONGEST_WAIT)}"
    reply = yield from steadily(Send("POST", "/v1/jobs", json=order, headers=headers), patience)
    return read_job(reply)


def order_of(
    operation: str | None,
    given: Mapping[str, Any] | None,
    *,
    parent: str | None = None,
    action: str | None = None,
    webhook: str | None = None,
    events: Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
    deadline: str | float | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """The body of an order, with nothing in it that was not given."""
    order: dict[str, Any] = {"input": dict(given or {})}
    if operation is not None:
        provider, _, name = operation.partition(".")
        if not (provider and name):
            raise ValueError(f"{operation!r} is not provider.operation, as in kling.text2video")
        order |= {"provider": provider, "operation": name}
    if webhook is not None:
        order["webhook"] = {"url": webhook} | ({"events": list(events)} if events else {})
    fields = {"parent": parent, "action": action, "metadata": metadata, "deadline": deadline}
    return order | {name: value for name, value in fields.items() if value} | dict(extra or {})


def submit_batch(
    orders: Sequence[Mapping[str, Any]], mode: str, key: str | None, patience: float
) -> Steps[Batch]:
    """Order these together. They may be sent several times and are taken once."""
    body = {"jobs": [dict(order) for order in orders], "mode": mode}
    headers = {**JSON, "idempotency-key": key or str(uuid4())}
    send = Send("POST", "/v1/jobs/batch", json=body, headers=headers)
    return read_batch((yield from steadily(send, patience)))


def get_batch(batch_id: str, patience: float) -> Steps[Batch]:
    return read_batch((yield from steadily(Send("GET", batch_path(batch_id)), patience)))


def cancel_batch(batch_id: str, patience: float) -> Steps[Batch]:
    """Asking twice changes nothing, so it may be repeated."""
    send = Send("POST", batch_path(batch_id, "cancel"))
    return read_batch((yield from steadily(send, patience)))


def get(job_id: str, patience: float) -> Steps[Job]:
    reply = yield from steadily(Send("GET", job_path(job_id)), patience)
    return read_job(reply)


def cancel(job_id: str, patience: float) -> Steps[Job]:
    """Asking twice changes nothing, so it may be repeated."""
    reply = yield from steadily(Send("POST", job_path(job_id, "cancel")), patience)
    return read_job(reply)


def give_input(job_id: str, given: Mapping[str, Any]) -> Steps[Job]:
    reply = yield from once(Send("POST", job_path(job_id, "input"), json=given, headers=JSON))
    return read_job(reply)


def wait(job_id: str, timeout: float | None, patience: float) -> Steps[Job]:
    """The job at its end. Raises `NotEnded` when `timeout` seconds have passed."""
    began = monotonic()
    while True:
        job = yield from get(job_id, patience)
        if job.ended:
            return job
        waited = monotonic() - began
        pause = next_question(waited, job.retry_after)
        if timeout is not None:
            if waited >= timeout:
                raise NotEnded(f"{job_id} is {job.state} after {timeout:g} s; it goes on")
            pause = min(pause, timeout - waited)
        yield Pause(pause)


def page(filters: Mapping[str, str], patience: float) -> Steps[tuple[list[Job], str | None]]:
    """One page of jobs, and the cursor of the next one."""
    reply = yield from steadily(Send("GET", "/v1/jobs", params=filters), patience)
    return [job_of(each) for each in reply.document["data"]], reply.document["next_cursor"]


def document(path: str, params: Mapping[str, str], patience: float) -> Steps[Reply]:
    """Whatever the API has at a path."""
    return (yield from steadily(Send("GET", path, params=params), patience))


def job_path(job_id: str, rest: str = "") -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}" + (f"/{rest}" if rest else "")


def batch_path(batch_id: str, rest: str = "") -> str:
    return f"/v1/batches/{quote(batch_id, safe='')}" + (f"/{rest}" if rest else "")


def read_batch(reply: Reply) -> Batch:
    try:
        return batch_of(reply.document)
    except (KeyError, ValueError, TypeError) as error:
        raise NotGenq(f"the answer is not a batch: {error!r}") from None


def read_job(reply: Reply) -> Job:
    try:
        return job_of(reply.document, reply.retry_after)
    except (KeyError, ValueError, TypeError) as error:
        raise NotGenq(f"the answer is not a job: {error!r}") from None


def body_of(send: Send) -> bytes | None:
    # Plain ASCII: text that no encoding has is the API's to refuse.
    return None if send.json is None else json.dumps(send.json).encode()
