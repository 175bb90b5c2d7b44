"""How an operation reads a reply, as JSON.

For people who debug a station, and for contract tests.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from generation.contract.errors import Acceptance, ErrorCode, Fault
from generation.contract.operation import Operation, Order, Unlisted
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    Ask,
    Asset,
    AwaitingInput,
    Failed,
    Running,
    Status,
    Succeeded,
)
from generation.contract.usable_assets import read_submit, usable, usable_each


class Kind(StrEnum):
    """Which question a reply answers."""

    SUBMIT = "submit"
    QUERY = "query"
    BATCH_QUERY = "batch_query"
    FIND = "find"
    CANCEL = "cancel"


#: What the parser of each kind returns: statuses by upstream id for a batch, an upstream id or None
#: for a find, whether the upstream agreed for a cancel.
Outcome = Accepted | Status | Mapping[str, Status] | str | Unlisted | bool | None

#: For replies whose parser does not care whose job it was.
NO_ORDER = Order(job_id="")


def read(operation: Operation[Any], kind: Kind, reply: Reply, order: Order = NO_ORDER) -> Outcome:
    """What `operation` reads in an answer to `kind`. Raises a `Fault` as the parser does."""
    match kind:
        case Kind.SUBMIT:
            return read_submit(operation, reply)
        case Kind.QUERY:
            return usable(operation.parse_query(reply))
        case Kind.BATCH_QUERY:
            return usable_each(operation.parse_batch_query(reply))
        case Kind.FIND:
            return operation.parse_find(reply, order)
        case Kind.CANCEL:
            return operation.parse_cancel(reply)


def describe(
    operation: Operation[Any], kind: Kind, reply: Reply, order: Order = NO_ORDER
) -> dict[str, Any] | list[dict[str, Any]]:
    """Return what `read` returns, as JSON.

    The fields are `state`, `upstream_id`, `progress`, `assets`, `texts` and `error`. `state` is
    null if the reply says nothing about a task; `error` then says why. Both are null if a find
    learned that there is surely no task, or a cancel was declined. A batch gives a list, each entry
    with its `upstream_id`. `retryable` says whether asking again is worthwhile. Never raises a
    `Fault`.
    """
    try:
        outcome = read(operation, kind, reply, order)
    except Fault as fault:
        return _entry(None, error=_fault(fault, kind))
    if isinstance(outcome, Mapping):
        return [
            {**_describe_one(status), "upstream_id": upstream_id}
            for upstream_id, status in outcome.items()
        ]
    return _describe_one(outcome)


def _describe_one(outcome: Accepted | Status | str | Unlisted | bool | None) -> dict[str, Any]:
    match outcome:
        case Accepted(upstream_id) | str(upstream_id):
            entry = _entry("accepted", upstream_id=upstream_id)
        case AwaitingInput(upstream_id):
            entry = _entry("awaiting_input", upstream_id=upstream_id)
        case Running(progress, queued):
            entry = _entry("queued" if queued else "running", progress=progress)
        case Ask():
            entry = _entry("running")
        case Succeeded(assets, texts, upstream_id=upstream_id):
            files = [_asset(asset) for asset in assets]
            entry = _entry("succeeded", upstream_id=upstream_id, assets=files, texts=list(texts))
        case Failed():
            entry = _entry("failed", error=_failure(outcome))
        case Unlisted():
            words = "the list does not show the task; it was never created if the list reaches back"
            entry = _entry(None, error=_error(ErrorCode.IN_DOUBT, words, True, Acceptance.MAYBE))
        case bool() | None:
            entry = _entry("canceled" if outcome else None)
    return entry


def _entry(
    state: str | None,
    *,
    upstream_id: str | None = None,
    progress: int | None = None,
    assets: list[dict[str, Any]] | None = None,
    texts: list[str] | None = None,
    error: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "state": state,
        "upstream_id": upstream_id,
        "progress": progress,
        "assets": assets or [],
        "texts": texts or [],
        "error": error,
    }


def _fault(fault: Fault, kind: Kind) -> dict[str, Any]:
    again = kind is not Kind.SUBMIT and fault.accepted is Acceptance.MAYBE
    return _error(fault.code, fault.message, fault.retryable or again, fault.accepted)


def _failure(failed: Failed) -> dict[str, Any]:
    return _error(failed.code, failed.message, failed.retryable, Acceptance.YES)


def _error(code: ErrorCode, message: str, retryable: bool, accepted: Acceptance) -> dict[str, Any]:
    return {
        "code": code.value,
        "message": message,
        "retryable": retryable,
        "accepted": accepted.value,
    }


def _asset(asset: Asset) -> dict[str, Any]:
    """The asset without what is unknown of it."""
    values = {each.name: getattr(asset, each.name) for each in fields(asset)}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value
