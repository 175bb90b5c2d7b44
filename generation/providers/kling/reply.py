"""One reader for every Kling-shaped answer: both versions of the vendor's API, and relays."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

from generation.contract.errors import ErrorCode, Fault, InDoubt, Rejected, UnrecognizedReply
from generation.contract.operation import Order
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    AssetType,
    Failed,
    Running,
    Status,
    SubmitAnswer,
    Succeeded,
)
from generation.providers.kit import json_reader as wire
from generation.providers.kit import status_words
from generation.providers.kit.files import files_in
from generation.providers.kling.answers import Reader
from generation.providers.kling.complaints import complaint_in, error_message
from generation.providers.kling.faults import failure_of, fault_of, wordless_fault
from generation.providers.kling.library import shelf_in
from generation.providers.kling.results import assets_in, facts_in, listed_in

#: A station's record around the vendor's answer around the task is as deep as it gets.
_DEEPEST = 5

#: An unknown status word is kept for a person to read, a novel is not.
_LONGEST_WORD = 60

_QUEUED = status_words.QUEUED | {""}
_RUNNING = status_words.RUNNING | {"unknown"}


@dataclass(frozen=True, slots=True)
class KlingTask:
    """One task as an answer shows it."""

    #: "" where the answer does not name it.
    id: str
    #: Our own reference, where the answer echoes it.
    external_id: str
    #: The status word in the upstream's spelling; None where there is none at all.
    word: str | None
    #: The task itself and what it wraps, outermost first.
    layers: Sequence[Mapping[str, Any]]


def read_submit(reply: Reply, medium: AssetType) -> SubmitAnswer:
    """The answer to a submit. Raises a `Fault`; without an id nobody knows what was accepted."""
    task = _one_task(reply, submitting=True)
    if not task.id:
        raise _unreadable("the submit was answered without a task id", reply)
    try:
        status = _status(task, medium)
    except UnrecognizedReply:  # a success without a file is looked at again
        return Accepted(task.id)
    match status:
        case Failed():
            return status
        case Succeeded():
            return replace(status, upstream_id=task.id)
        case _:
            return Accepted(task.id)


def read_answer(reply: Reply, reader: Reader) -> Succeeded | None:
    """Return the result of a submit; None if the answer is a task or unreadable.

    `read_submit` distinguishes those. Raises a `Fault`.
    """
    return reader(document_of(reply, submitting=True).get("data"))


def read_query(reply: Reply, medium: AssetType) -> Status:
    """The answer to a look at one task. Raises a `Fault`."""
    status = _status(_one_task(reply, submitting=False), medium)
    if status is None:
        raise _unreadable("the answer has no status word", reply)
    return status


def read_batch(reply: Reply, medium: AssetType) -> Mapping[str, Status]:
    """Status by task id, from an answer whose `data` is a list. Raises a `Fault`."""
    document = document_of(reply, submitting=False)
    entries = document.get("data")
    if not isinstance(entries, list):
        raise _unreadable("the answer is no list of tasks", reply)
    tasks = [_task([wire.EMPTY, *_opened(entry)]) for entry in wire.mappings(cast(Any, entries))]
    found: dict[str, Status] = {}
    for task in tasks:
        with suppress(UnrecognizedReply):
            status = _status(task, medium)
            if task.id and status is not None:
                found[task.id] = status
    return found


def read_find(
    reply: Reply, order: Order, *, relayed: bool = False, silence_proves: bool = False
) -> str | None:
    """Return the id of the task with our reference; None if the vendor says there is none.

    The vendor says so with its code 1203. A relay may have asked another of its accounts, so its
    1203 proves nothing.
    """
    try:
        document = document_of(reply, submitting=False)
        if silence_proves and document.get("data") == []:
            return None
        task = _task_in(document, reply, submitting=False)
    except Rejected as fault:
        if fault.upstream_code == "1203" and not relayed:
            return None
        if fault.code is ErrorCode.NOT_FOUND:
            raise InDoubt(
                f"the station does not know the reference, and may not have asked where it ordered:"
                f" {fault.message}",
                upstream_code=fault.upstream_code,
            ) from fault
        raise UnrecognizedReply(
            f"whether the task exists is not clear from: {fault.message}",
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
        ) from fault
    if not task.id or not _carries(task, order):
        raise _unreadable(f"the answer is not about {order.job_id}", reply)
    return task.id


def _carries(task: KlingTask, order: Order) -> bool:
    """A task that names no reference is ours, unless its id is just an echo of the question."""
    if task.external_id:
        return task.external_id == order.job_id
    return task.id != order.job_id


def document_of(reply: Reply, *, submitting: bool) -> Mapping[str, Any]:
    """The answer, once it is sure that it does not complain."""
    try:
        document = reply.object()
    except UnrecognizedReply as error:
        raise wordless_fault(reply, submitting=submitting) from error
    if complaint := complaint_in(document, reply):
        raise fault_of(complaint, submitting=submitting)
    return document


def _one_task(reply: Reply, *, submitting: bool) -> KlingTask:
    return _task_in(document_of(reply, submitting=submitting), reply, submitting=submitting)


def _task_in(document: Mapping[str, Any], reply: Reply, *, submitting: bool) -> KlingTask:
    if document.get("data") == [] and not submitting:
        raise Rejected(
            "the upstream does not know the task: its list is empty",
            code=ErrorCode.NOT_FOUND,
            upstream_status=reply.status,
        )
    task = _task(_opened(document))
    if task.id or task.word is not None:
        return task
    inner = complaint_in(wire.unpacked(document.get("data")), reply)
    raise fault_of(inner, submitting=submitting) if inner else _unreadable("no task in", reply)


def _opened(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The document, its `data`, the `data` of that, and so on. A list of one is its entry."""
    layers = [document]
    while len(layers) < _DEEPEST:
        data = layers[-1].get("data")
        entries = wire.mappings(data)
        inner = entries[0] if len(entries) == 1 else wire.unpacked(data)
        if not inner:
            break
        layers.append(inner)
    return layers


def _task(layers: Sequence[Mapping[str, Any]]) -> KlingTask:
    """The task in an opened document: in `data`, or at the top where there is no `data`.

    The status of an envelope is not the status of a task, and the number of a station's row is not
    its id.
    """
    top, inside = layers[0], layers[1:]
    where: Sequence[Mapping[str, Any]] = inside or ([top] if _top_id(top) else [])
    ids = [*(wire.first_identifier(layer, "task_id", "id") for layer in inside), _top_id(top)]
    words = [*map(_word, where), top.get("task_status")]
    references = (_external_id(layer) for layer in where)
    return KlingTask(
        id=next(filter(None, ids), ""),
        external_id=next(filter(None, references), ""),
        word=next((word for word in words if isinstance(word, str)), None),
        layers=where,
    )


def _top_id(top: Mapping[str, Any]) -> str:
    """A task's id at the top.

    A bare `id` with nothing else we know may be anybody's.

    A new-api station may show its upstream's id as `task_id` beside its own, which it alone knows.
    """
    own = wire.first_identifier(top, "id")
    if top.get("object") == "video" and own.startswith("task_"):
        return own
    known = "code" in top or isinstance(top.get("status"), str)
    return wire.first_identifier(top, "task_id", *(["id"] if known else []))


def _word(layer: Mapping[str, Any]) -> str | None:
    words = (layer.get("task_status"), layer.get("status"))
    return next((word for word in words if isinstance(word, str)), None)


def _external_id(layer: Mapping[str, Any]) -> str:
    info = wire.mapping(layer.get("task_info"))
    return wire.text(info.get("external_task_id")) or wire.first_text(
        layer, "external_task_id", "external_id"
    )


def _status(task: KlingTask, medium: AssetType) -> Status | None:
    """What the status word means.

    Without one, files that are listed are a success; None without any. Raises `UnrecognizedReply`
    as `_success` does.
    """
    if task.word is None:
        assets = listed_in(task.layers, medium)
        return Succeeded(assets, details=facts_in(task.layers)) if assets else None
    word = wire.text(task.word)
    known = word.lower()
    if known in status_words.SUCCEEDED:
        return _success(task, medium)
    if known in status_words.FAILED:
        return failure_of(*_reason(task))
    if known in status_words.CANCELED:
        return Failed(_reason(task)[0] or "canceled upstream", ErrorCode.CANCELED)
    unknown_word = None if known in _QUEUED | _RUNNING else word[:_LONGEST_WORD]
    return Running(_progress(task), queued=known in _QUEUED, unknown_word=unknown_word)


def _success(task: KlingTask, medium: AssetType) -> Succeeded:
    """A success with neither file nor id is none yet: the upstream's books may be catching up."""
    assets, shelf = assets_in(task.layers, medium), shelf_in(task.layers)
    if not assets and not shelf.texts and not (assets := files_in(task.layers, medium)):
        raise UnrecognizedReply(
            "the upstream reports success and gives no URL", code=ErrorCode.ASSET_MISSING
        )
    return Succeeded(assets, shelf.texts, details=facts_in(task.layers) | shelf.details)


def _progress(task: KlingTask) -> int | None:
    return wire.percent(task.layers[0].get("progress")) if task.layers else None


def _reason(task: KlingTask) -> tuple[str, str]:
    """Why it failed, in the words of the outermost layer that has any, and that layer's code."""
    for layer in task.layers:
        if message := _complaint_of(layer):
            return message, wire.text(wire.mapping(layer.get("error")).get("code"))
    return "", ""


def _complaint_of(layer: Mapping[str, Any]) -> str:
    """A `message` beside a `code` belongs to an envelope, and is about the exchange."""
    own_message = "" if "code" in layer else wire.text(layer.get("message"))
    return (
        wire.first_text(layer, "task_status_msg", "fail_reason")
        or error_message(layer.get("error"))
        or own_message
    )


def _unreadable(what: str, reply: Reply) -> Fault:
    return UnrecognizedReply(f"{what}: {reply.excerpt()}", upstream_status=reply.status)
