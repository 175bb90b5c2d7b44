"""One reader for every answer under Luma's name: both of the vendor's APIs and all relays.

It decides in a fixed order. Nothing that begins with JSON: a gateway spoke. HTTP 400 or more: a
complaint. A whole task, however it is wrapped: its status. Anything that complains: a complaint.
Which operation was asked matters only for the medium of a URL that does not say what it is.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
    Rejected,
    UnrecognizedReply,
)
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    Asset,
    AssetType,
    Failed,
    Status,
    SubmitAnswer,
    Succeeded,
)
from generation.providers.kit import json_reader as wire
from generation.providers.kit.signed_urls import signed_until
from generation.providers.luma.complaints import complaint_in
from generation.providers.luma.faults import fault_of, wordless_fault
from generation.providers.luma.tasks import LumaTask, status_of, task_in


def read_submit(reply: Reply, medium: AssetType, *, relayed: bool = False) -> SubmitAnswer:
    """The answer to a submit.

    Raises a `Fault`; without an id nobody knows what was accepted. `relayed` where the key is a
    relay's and Luma's account is the relay's own.
    """
    task = _task(reply, submitting=True, relayed=relayed)
    if not task.id:
        raise _unreadable("the submit was answered without a task id", reply)
    status = None
    with suppress(UnrecognizedReply):  # finished without a file yet: later looks will find it
        status = status_of(task, medium)
    match status:
        case Failed():
            return status
        case Succeeded(assets=assets, details=details):
            return Succeeded(assets, details=details, upstream_id=task.id)
        case _:
            return Accepted(task.id)


def read_query(reply: Reply, medium: AssetType, *, relayed: bool = False) -> Status:
    """The answer to a look at one task. Raises a `Fault`."""
    status = status_of(_task(reply, submitting=False, relayed=relayed), medium)
    if status is None:
        raise _unreadable("the answer has no status word", reply)
    return status


def read_batch(reply: Reply, medium: AssetType) -> Mapping[str, Status]:
    """Status by task id, from a list that is bare or in `data`.

    A task that cannot be read is left out, and looked at singly; so are all of them where the relay
    has no such call (`UnrecognizedReply`).
    """
    document = _json(reply)
    envelope = wire.mapping(document)
    entries = envelope.get("data") if isinstance(document, dict) else document
    if entries is None and "data" in envelope and not complaint_in(envelope, reply):
        entries = []  # a station of the new-api family that knows none of them
    if reply.status >= 300 or not isinstance(entries, list):
        raise _no_list(reply, document)
    statuses: dict[str, Status] = {}
    for task in map(task_in, wire.mappings(cast(Any, entries))):
        with suppress(UnrecognizedReply):
            if task.id and (status := status_of(task, medium)):
                statuses[task.id] = status
    return statuses


def read_find(reply: Reply, callback_url: str) -> str:
    """The id of the task that is to call back there.

    A list without it proves nothing, for nobody says how far it reaches, and neither does a station
    without a list: `InDoubt`.
    """
    document = _json(reply)
    envelope = wire.mapping(document)
    entries = envelope.get("generations") if envelope else document
    if reply.status >= 300 or not isinstance(entries, list):
        fault = _no_list(reply, document)
        raise InDoubt(fault.message) if isinstance(fault, UnrecognizedReply) else fault
    for task in map(task_in, wire.mappings(cast(Any, entries))):
        if task.id and callback_url in map(_address_to_call, task.layers):
            return task.id
    raise InDoubt("the list of generations does not show this one, and may not reach back to it")


def _address_to_call(layer: Mapping[str, Any]) -> str:
    return wire.text(wire.mapping(layer.get("request")).get("callback_url"))


def read_download(reply: Reply) -> Succeeded:
    """The answer of `download_video_url`, which is the address of one clean video.

    It is a question and creates nothing, so one that nobody answered may be asked again.
    """
    document = _json(reply)
    if reply.status < 300 and (url := _download_url(document)):
        video = Asset(type=AssetType.VIDEO, url=url, expires_at=signed_until(url))
        return Succeeded((video,))
    fault = _fault(reply, document, submitting=True, relayed=True)
    raise _unanswered(fault, reply)


def _unanswered(fault: Fault, reply: Reply) -> Fault:
    """What a download's fault amounts to, as nothing can have been created."""
    status = reply.status
    if fault.code is ErrorCode.INVALID_REQUEST and status == 400:
        # The gateway says so of any task that its account does not call completed.
        return NotAccepted(fault.message, code=ErrorCode.NOT_READY, upstream_status=status)
    if isinstance(fault, InDoubt) and status < 400:
        # A page in the place of an answer: the relay has no such call.
        return Rejected(fault.message, code=ErrorCode.UNSUPPORTED, upstream_status=status)
    if isinstance(fault, InDoubt):
        return NotAccepted(fault.message, upstream_status=status, retry_after=fault.retry_after)
    return fault


def _download_url(document: Any) -> str:
    outer = wire.mapping(document)
    inner = wire.mapping(outer.get("data"))
    names = ("url", "download_url", "video_url")
    bare = (wire.url(value) for value in (document, outer.get("data")))
    named = (wire.url(layer.get(name)) for layer in (outer, inner) for name in names)
    return next(filter(None, (*bare, *named)), "")


def _json(reply: Reply) -> Any:
    """The body's first JSON value; None where it begins with none."""
    try:
        return reply.json()
    except UnrecognizedReply:
        return None


def _task(reply: Reply, *, submitting: bool, relayed: bool) -> LumaTask:
    document = _json(reply)
    entries = wire.mappings(document)
    if document == [] or (isinstance(document, dict) and document.get("data") == []):
        return _nothing(reply, document, submitting=submitting, relayed=relayed)
    task = task_in(entries[0] if len(entries) == 1 else wire.mapping(document))
    known = task.is_whole or (bool(task.id) if submitting else task.is_look)
    if reply.status >= 300 or not known:
        raise _fault(reply, document, submitting=submitting, relayed=relayed)
    if not task.is_whole and complaint_in(wire.mapping(document), reply):
        raise _fault(reply, document, submitting=submitting, relayed=relayed)
    return task


def _nothing(reply: Reply, document: Any, *, submitting: bool, relayed: bool) -> LumaTask:
    if submitting or reply.status >= 300 or complaint_in(wire.mapping(document), reply):
        raise _fault(reply, document, submitting=submitting, relayed=relayed)
    raise Rejected(
        "the upstream does not know the task: its list is empty",
        code=ErrorCode.NOT_FOUND,
        upstream_status=reply.status,
    )


def _fault(reply: Reply, document: Any, *, submitting: bool, relayed: bool) -> Fault:
    """Why there is no task in this answer."""
    if not isinstance(document, dict):
        return wordless_fault(reply, submitting=submitting)
    layers = task_in(wire.mapping(cast(Any, document))).layers
    complaints = (complaint_in(layer, reply) for layer in layers)
    complaint = next(filter(None, complaints), None)
    if complaint is None:
        return _unreadable("no task in the answer", reply)
    return fault_of(complaint, submitting=submitting, relayed=relayed)


def _no_list(reply: Reply, document: Any) -> Fault:
    """Trouble that passes keeps its name; every other answer means that there is no such call."""
    fault = _fault(reply, document, submitting=False, relayed=True)
    passes = isinstance(fault, NotAccepted | AccountBlocked) or reply.status >= 500
    return fault if passes else _unreadable("no list of tasks", reply)


def _unreadable(what: str, reply: Reply) -> Fault:
    return UnrecognizedReply(f"{what}: {reply.excerpt()}", upstream_status=reply.status)
