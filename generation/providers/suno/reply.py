"""One reader for every answer of the Suno-API family, whatever the dialect and the order.

It decides in a fixed order. No JSON: a gateway spoke. An `error`, or a `code` that is no success: a
complaint. Otherwise `data` is opened and read as a task, as songs, as words or as a file.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from itertools import accumulate
from typing import Any, cast

from generation.contract.errors import ErrorCode, Fault, NotAccepted, Rejected, UnrecognizedReply
from generation.contract.reply import Reply
from generation.contract.status import Accepted, Status, SubmitAnswer
from generation.providers.kit import json_reader as wire
from generation.providers.suno import fields
from generation.providers.suno.complaints import complaint_in
from generation.providers.suno.faults import fault_of, wordless_fault
from generation.providers.suno.found import Found, find_task, is_task
from generation.providers.suno.products import IMMEDIATE, MADE_ON_DEMAND, Product, product_in
from generation.providers.suno.reasons import failure
from generation.providers.suno.tasks import has_failed, read_found

#: What `Accepted.details` says of a task that has no record of its own, only songs.
LOOK = "look"
BY_CLIPS = "clips"

#: How soon a file that is being made is worth another question.
NOT_MADE_YET = timedelta(seconds=10)

#: Ids of songs stand together as one id; this much fits every store.
_LONGEST_ID = 300

#: An envelope in an envelope is as deep as chained stations get.
_DEEPEST = 3

_TASK_IDS = ("task_id", "taskId")


def read_submit(reply: Reply, product: Product) -> SubmitAnswer:
    """What became of a submit.

    Raises a `Fault` where nothing, or nothing certain, did; `not_ready` where the file that was
    asked for is still being made.
    """
    document = _document(reply, submitting=True)
    data = fields.unpacked(document["data"]) if document.get("data") is not None else document
    if product in IMMEDIATE and (done := product_in(product, data)):
        return done
    if accepted := _accepted(document, data):
        return accepted
    if product in MADE_ON_DEMAND and reply.status < 300:
        found = find_task(data)
        if found and has_failed(found):
            return failure(*found.complaint())
        raise NotAccepted(
            "the station is still making the file",
            code=ErrorCode.NOT_READY,
            upstream_status=reply.status,
            retry_after=reply.retry_after or NOT_MADE_YET,
        )
    raise UnrecognizedReply(
        f"the submit was answered without a task id: {reply.excerpt()}",
        upstream_status=reply.status,
    )


def read_query(reply: Reply, product: Product) -> Status:
    """Where one task stands. Raises a `Fault`; only `not_found` speaks of the task itself."""
    return read_found(_one(_looked_at(reply), reply), product, reply)


def read_batch(reply: Reply, product: Product) -> Mapping[str, Status]:
    """Statuses by task id; a task that cannot be read is left out, and looked at singly.

    Raises `UnrecognizedReply` where the station has no batch query, and another `Fault` for other
    trouble.
    """
    try:
        data = _looked_at(reply)
    except Rejected as fault:
        raise _no_batch(reply) from fault
    except Fault as fault:
        absent = reply.status in (404, 405) or (reply.status < 400 and reply.is_page)
        raise (_no_batch(reply) if absent else fault) from fault
    if data is None:
        return {}  # stock relays say null where none of the tasks is theirs
    if not isinstance(data, list) and not is_task(wire.mapping(data)):
        raise _no_batch(reply)
    statuses: dict[str, Status] = {}
    for found in map(find_task, wire.one_or_more(data)):
        if found and found.id:
            with suppress(Fault):
                statuses[found.id] = read_found(found, product, reply)
    return statuses


def _document(reply: Reply, *, submitting: bool) -> Mapping[str, Any]:
    """The answer, once it is sure that it does not complain."""
    try:
        document = reply.object()
    except UnrecognizedReply as error:
        raise wordless_fault(reply, submitting=submitting) from error
    if complaint := complaint_in(document, reply):
        raise fault_of(complaint, submitting=submitting)
    return document


def _looked_at(reply: Reply) -> Any:
    """The task, or whatever stands for it, without the envelopes around it."""
    if reply.status < 300 and reply.body.lstrip().startswith(b"["):
        return reply.json()
    value: Any = _document(reply, submitting=False)
    for _ in range(_DEEPEST):
        layer = wire.mapping(value)
        inside = fields.unpacked(layer.get("data"))
        # An envelope may have a status too; a task around a task is one.
        if "data" not in layer or (is_task(layer) and not is_task(wire.mapping(inside))):
            break
        value = inside
    return value


def _one(value: Any, reply: Reply) -> Found:
    """The task in an answer about one; a list of tasks with one entry will do."""
    entries = wire.one_or_more(value) if isinstance(value, list) else ()
    tasks = [entry for entry in entries if is_task(entry)]
    if value == []:
        raise Rejected(
            "the upstream does not know the task: its list is empty",
            code=ErrorCode.NOT_FOUND,
            upstream_status=reply.status,
        )
    found = find_task(tasks[0] if len(tasks) == 1 else value)
    if found is None or len(tasks) > 1:
        raise UnrecognizedReply(
            f"the answer is not about one task: {reply.excerpt()}", upstream_status=reply.status
        )
    return found


def _accepted(document: Mapping[str, Any], data: Any) -> Accepted | None:
    """The id that a submit was answered with, of a task or else of its songs."""
    if named := fields.identifier(data):
        return Accepted(named)
    layers = [wire.mapping(data), document]
    named = next(filter(None, (fields.first_identifier(layer, *_TASK_IDS) for layer in layers)), "")
    if named:
        return Accepted(named)
    songs: Any = cast(Any, data) if isinstance(data, list) else layers[0].get("clips")
    if together := _joined(songs or layers[0].get("clip_id") or document.get("clip_id")):
        return Accepted(together, {LOOK: BY_CLIPS})
    named = next(filter(None, (fields.first_identifier(layer, "id") for layer in layers)), "")
    return Accepted(named) if named else None


def _joined(songs: Any) -> str:
    """The ids of songs with commas between them, as feeds want them; as many as fit."""
    listed = cast(list[Any], songs) if isinstance(songs, list) else [songs]
    ids = [
        fields.identifier(song)
        or fields.first_identifier(wire.mapping(song), "id", "clip_id", "clipId")
        for song in listed
    ]
    fitting = [text for text in accumulate(filter(None, ids), "{},{}".format) if _fits(text)]
    return fitting[-1] if fitting else ""


def _fits(text: str) -> bool:
    return len(text) <= _LONGEST_ID


def _no_batch(reply: Reply) -> UnrecognizedReply:
    return UnrecognizedReply(
        f"the station cannot be asked for many tasks at once: {reply.excerpt()}",
        upstream_status=reply.status,
    )
