"""One reader for every Flux-shaped answer: the vendor's, its relays', Replicate's, fal's, OpenAI's.

It decides in a fixed order. No JSON object: a gateway spoke. A complaint: a fault. Otherwise the
answer is opened, and what it wraps, and the task is read: its id, its status word, its files.
Relays pass the answers of several of these services through the same path, so every dialect reads
every shape.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Fault, UnrecognizedReply
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    Ask,
    AssetType,
    Failed,
    Running,
    Status,
    SubmitAnswer,
    Succeeded,
)
from generation.providers.flux.addresses import askable
from generation.providers.flux.complaints import complaint_in, is_task, words_of
from generation.providers.flux.faults import failure_of, fault_of, wordless_fault
from generation.providers.flux.results import (
    assets_in,
    facts_in,
    is_blackened,
    is_result,
)
from generation.providers.kit import json_reader as wire
from generation.providers.kit import status_words
from generation.providers.kit.complaints import Complaint

#: A station's record around the vendor's answer around the task is as deep as it gets.
_DEEPEST = 4

#: An unknown status word is kept for a person to read, a novel is not.
_LONGEST_WORD = 60

#: Status words as `_plain` leaves them.
_QUEUED = status_words.QUEUED | {"task_queued", "in_queue", "starting"}
_RUNNING = status_words.RUNNING | {"task_processing", "reasoning", "generating"}
_SUCCEEDED = status_words.SUCCEEDED | {"ready"}
_FAILED = status_words.FAILED
_MODERATED = frozenset({"request_moderated", "content_moderated"})
_CANCELED = status_words.CANCELED | {"aborted"}
_NOT_FOUND = frozenset({"task_not_found"})
_KNOWN = _QUEUED | _RUNNING | _SUCCEEDED | _FAILED | _MODERATED | _CANCELED | _NOT_FOUND

#: fal says so, with an HTTP status of an error, to whoever asks for a result too early.
_STILL = re.compile(r"still in (progress|queue)|not (yet )?(completed|finished)", re.IGNORECASE)
_PERCENT = re.compile(r"(\d{1,3})%")

_IDS = ("id", "request_id", "task_id", "taskId")
#: What later calls need beside the id, and what the submit says of its price.
_URLS = ("polling_url", "status_url", "response_url", "cancel_url")
_PRICES = ("cost", "input_mp", "output_mp")

#: kie.ai's results carry these codes.
_STATION_MODERATED = "400"


@dataclass(frozen=True, slots=True)
class FluxTask:
    """One task as an answer shows it."""

    #: "" where the answer does not name it.
    id: str
    #: The status word in the upstream's spelling; "" where there is none.
    word: str
    #: The answer and what it wraps, outermost first.
    layers: Sequence[Mapping[str, Any]]

    def said(self, name: str) -> Any:
        """The field, from the innermost layer that has it."""
        return next((layer[name] for layer in reversed(self.layers) if layer.get(name)), None)


@dataclass(frozen=True)
class Reader:
    """Reads the answers about one operation's tasks in one dialect."""

    #: What a file is that comes as a bare URL.
    medium: AssetType
    #: How long files live after the task's end where their URLs do not say.
    life: timedelta | None = None

    def submit(self, reply: Reply) -> SubmitAnswer:
        """The answer to a submit. Raises a `Fault`; without an id nobody knows what was taken."""
        task = self._task(reply, submitting=True)
        match self._status(task, reply):
            case Succeeded(assets=assets, details=details):
                return Succeeded(assets, details=details, upstream_id=task.id or None)
            case Failed() as failed if task.id:
                return failed
            case _ if task.id:
                return Accepted(task.id, details_of(task), queue_position=_position(task))
            case Failed() as failed:
                raise fault_of(Complaint(failed.message, status=reply.status), submitting=True)
            case Fault() as fault:
                raise fault
            case _:
                raise _unreadable("the submit was answered without a task id", reply)

    def query(self, reply: Reply) -> Status:
        """The answer to a look at one task. Raises a `Fault`."""
        try:
            task = self._task(reply, submitting=False)
        except Fault as fault:
            if reply.status == 202 or _STILL.search(fault.message):
                return Running()
            if self._ends_task(reply):
                return self._failure(fault, reply)
            raise
        status = self._status(task, reply)
        if isinstance(status, Fault):
            raise status
        if status is None and reply.status == 202:
            return Running()
        if status is None:
            raise _unreadable("the answer has neither a status word nor a file", reply)
        return status

    def cancel(self, reply: Reply) -> bool:
        """Whether the upstream agreed to stop the task. Raises a `Fault` where it does not say."""
        document = _document(reply, submitting=False)
        return reply.status < 300 and "ALREADY" not in wire.text(document.get("status")).upper()

    def _task(self, reply: Reply, *, submitting: bool) -> FluxTask:
        document = _document(reply, submitting=submitting)
        task = _opened(document)
        # A failed task may come with the HTTP status of an error, and a station's with its code.
        named = bool(task.id) or (reply.status < 400 and not submitting)
        if (named and _plain(task.word) in _KNOWN) or _is_station_result(task):
            return task
        if complaint := complaint_in(document, reply):
            raise fault_of(complaint, submitting=submitting)
        return task

    def _status(self, task: FluxTask, reply: Reply) -> Status | Fault | None:
        """What the answer says of the task; None where it has no word for it, and no file."""
        word = _plain(task.word)
        if _is_station_result(task) and not word:
            return self._station_result(task, reply)
        if not word:
            return self._success(task, reply) if any(map(is_result, task.layers)) else None
        if word in _SUCCEEDED:
            return self._success(task, reply)
        if word in _MODERATED:
            return Failed(_moderation(task), ErrorCode.MODERATED, upstream_code=task.word)
        if word in _FAILED:
            return failure_of(_reason(task), wire.text(task.said("error_type")))
        if word in _CANCELED:
            return Failed(_reason(task) or "canceled upstream", ErrorCode.CANCELED)
        if word in _NOT_FOUND:
            return fault_of(Complaint(task.word, status=reply.status), submitting=False)
        return _running(task, word)

    def _success(self, task: FluxTask, reply: Reply) -> Status | Fault:
        assets = assets_in(task.layers, self.medium, self.life)
        if assets and not task.said("data_removed"):
            return Succeeded(assets, details=facts_in(task.layers))
        if any(map(is_blackened, task.layers)):
            return Failed("the upstream's checker blacked the result out", ErrorCode.MODERATED)
        if task.said("error"):
            return failure_of(_reason(task), wire.text(task.said("error_type")))
        if further := self._further(task):
            return further if isinstance(further, Fault) else Ask(further)
        return UnrecognizedReply(
            "the upstream reports success and gives no file",
            code=ErrorCode.ASSET_MISSING,
            upstream_status=reply.status,
        )

    def _station_result(self, task: FluxTask, reply: Reply) -> Status | Fault | None:
        code = wire.text(task.layers[0].get("code"))
        if code in ("", "0", "200"):
            return self._success(task, reply) if "info" in task.layers[1] else None
        otherwise = ErrorCode.MODERATED if code == _STATION_MODERATED else ErrorCode.UPSTREAM_FAILED
        return failure_of(words_of(task.layers[0]), code, otherwise=otherwise)

    def _further(self, task: FluxTask) -> Call | Fault | None:
        """The call that brings the result of a task that is reported as completed."""
        url = askable(task.said("response_url"))
        return Call("GET", url) if url else None

    def _ends_task(self, reply: Reply) -> bool:
        """Whether a complaint in place of a task's status is the end of the task."""
        del reply
        return False

    def _failure(self, fault: Fault, reply: Reply) -> Failed:
        refused = reply.status < 500
        otherwise = ErrorCode.INVALID_REQUEST if refused else ErrorCode.UPSTREAM_FAILED
        return failure_of(fault.message, fault.upstream_code or "", otherwise=otherwise)


def details_of(task: FluxTask) -> dict[str, Any]:
    """What later calls need of a submit's answer, and its price."""
    urls = {name: askable(task.said(name)) for name in _URLS}
    prices = {name: wire.number(task.said(name)) for name in _PRICES}
    return {name: value for name, value in {**urls, **prices}.items() if value}


def _document(reply: Reply, *, submitting: bool) -> Mapping[str, Any]:
    try:
        return reply.object()
    except UnrecognizedReply as error:
        raise wordless_fault(reply, submitting=submitting) from error


def _opened(document: Mapping[str, Any]) -> FluxTask:
    """The task in a document: in its `data`, or at the top.

    The status of an envelope is not the status of a task, so that the innermost word and id count.
    """
    layers = [document]
    while len(layers) < _DEEPEST and (inner := wire.unpacked(layers[-1].get("data"))):
        layers.append(inner)
    inside_out = layers[::-1]
    words = (wire.first_text(each, "status", "state") for each in inside_out if is_task(each))
    ids = (wire.first_identifier(each, *_IDS) for each in inside_out)
    return FluxTask(next(filter(None, ids), ""), next(filter(None, words), ""), layers)


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip()).strip("_").lower()


def _running(task: FluxTask, word: str) -> Running:
    known = word in _QUEUED | _RUNNING
    progress = _progress(task)
    return Running(
        progress,
        queued=word in _QUEUED and not progress,
        unknown_word=None if known else task.word[:_LONGEST_WORD],
    )


def _progress(task: FluxTask) -> int | None:
    """The vendor's share of 1, or the last percentage in Replicate's log."""
    said = wire.number(task.said("progress"))
    if said is not None and said >= 0:
        return int(min(said * 100 if said <= 1 else said, 100))
    logs = task.said("logs")
    found = _PERCENT.findall(logs[-2000:]) if isinstance(logs, str) else []
    return min(int(found[-1]), 100) if found else None


def _position(task: FluxTask) -> int | None:
    position = wire.number(task.said("queue_position"))
    return position if isinstance(position, int) and 0 <= position < 10**6 else None


def _moderation(task: FluxTask) -> str:
    """`Request Moderated: Derivative Works Filter`."""
    details = task.said("details")
    reasons = ", ".join(wire.texts(wire.mapping(details).get("Moderation Reasons")))
    return ": ".join(filter(None, (task.word, reasons or words_of(details))))[:500]


def _reason(task: FluxTask) -> str:
    """Why it failed, in the words of the innermost layer that has any."""
    names = ("error", "details", "detail", "message", "fail_reason")
    for layer in reversed(task.layers):
        for name in names:
            if said := words_of(layer.get(name)):
                return said
    return ""


def _is_station_result(task: FluxTask) -> bool:
    """kie.ai's answer about an ended task: a code, and a `taskId` in the data."""
    return len(task.layers) > 1 and "taskId" in task.layers[1] and "code" in task.layers[0]


def _unreadable(what: str, reply: Reply) -> Fault:
    return UnrecognizedReply(f"{what}: {reply.excerpt()}", upstream_status=reply.status)
