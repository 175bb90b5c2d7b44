"""Builds the HTTP requests of a job: from the stored input and the binding to a request."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Fault, Rejected
from generation.contract.operation import Order, Parent, Task
from generation.contract.request import split
from generation.job import Job
from generation.stations.binding import Binding
from generation.stations.station import ExtraFields
from generation.upstream.http import HttpRequest, quoted
from generation.upstream.polling_urls import absolute_url

log = structlog.get_logger(__name__)


def build_submit(
    binding: Binding, job: Job, callback_url: str | None, parent: Parent | None
) -> Call:
    """Build the submit of a stored job.

    Raises a `Fault`, nothing else.

    Raises `Rejected` where this version of genq cannot read or build the stored input.
    """
    operation = binding.operation
    try:
        known, extra = split(operation.request, job.input)
        request = operation.request.model_validate(known)
        call = operation.build_submit(request, Order(job.id, callback_url, parent=parent))
        return _with_extra_fields(call, extra, binding) if extra else call
    except Fault:
        raise
    except Exception as error:
        log.exception("submit_not_built", job_id=job.id, dialect=operation.dialect)
        raise Rejected(
            f"the stored request cannot be sent in {operation.dialect}: {error}",
            code=ErrorCode.INTERNAL,
        ) from error


def build_input(binding: Binding, task: Task, answer: Mapping[str, Any]) -> Call:
    """Build the call that sends a caller's input to a task. Raises a `Fault`, nothing else."""
    operation = binding.operation
    if operation.input_request is None:
        raise Rejected(f"{operation.dialect} {operation.name} awaits no input")
    try:
        return operation.build_input(operation.input_request.model_validate(answer), task)
    except Fault:
        raise
    except Exception as error:
        raise Rejected(f"the input cannot be sent: {error}") from error


def http_request(
    binding: Binding, call: Call, auth: Mapping[str, str], *, is_submit: bool
) -> HttpRequest:
    """Build the HTTP request of a call, with the station's URL, path prefix and extra fields."""
    headers = {"accept": "application/json", **call.headers, **auth}
    content = b""
    if call.json is not None:
        headers["content-type"] = "application/json"
        body = {**call.json, **binding.dialect.extra_body} if is_submit else call.json
        content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    url = quoted(absolute_url(binding, call, is_submit=is_submit), call.params)
    return HttpRequest(call.method, url, headers, content)


def _with_extra_fields(call: Call, extra: Mapping[str, Any], binding: Binding) -> Call:
    """Add the fields that genq does not know; they replace none that it does."""
    if binding.dialect.extra_fields is not ExtraFields.PASS or call.json is None:
        raise Rejected(
            f"station {binding.station.name} is not told to pass on {', '.join(sorted(extra))}:"
            " leave it out",
            code=ErrorCode.UNSUPPORTED,
        )
    return replace(call, json={**extra, **call.json})
