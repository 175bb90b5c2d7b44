"""The task inside an answer: its id, its status word, and what the word means.

Dream Machine and the Agents API answer the bare task. Relays answer it bare, in a list, or wrapped:
in `data`, in a record of their own which has the task in its `data`, or in `gen_api_response`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generation.contract.errors import ErrorCode, UnrecognizedReply
from generation.contract.status import AssetType, Failed, Running, Status, Succeeded
from generation.providers.kit import json_reader as wire
from generation.providers.kit import status_words
from generation.providers.kit.files import files_in
from generation.providers.luma.assets import assets_in
from generation.providers.luma.complaints import error_message
from generation.providers.luma.failures import failure_of
from generation.providers.luma.ids import identifier

#: An envelope around a record around an envelope around the task is as deep as it gets.
_DEEPEST = 5

#: An unknown status word is kept for a person to read, a novel is not.
_LONGEST_WORD = 60

_QUEUED = status_words.QUEUED | {"", "staged"}
_RUNNING = status_words.RUNNING | {"dreaming", "unknown"}

#: Beside one of these an `id` is a task's; alone it may be anybody's.
_TASK_FIELDS = frozenset(
    {"state", "status", "created_at", "type", "generation_type", "model", "prompt", "request"}
    | {"video", "assets", "output"}
)


#: What nothing but a task has.
_ONLY_TASKS = frozenset(
    {"assets", "output", "video", "video_raw", "artifact", "task_result", "generation_type"}
    | {"failure_reason", "failure_code", "video_url"}
)


@dataclass(frozen=True, slots=True)
class LumaTask:
    """One task as an answer shows it."""

    #: "" where the answer does not name it.
    id: str
    #: The status word in the upstream's spelling; None where there is none at all.
    word: str | None
    #: The answer, or the entry of a list, and what it wraps, outermost first.
    layers: Sequence[Mapping[str, Any]]

    @property
    def is_whole(self) -> bool:
        """Whether the answer surely is about a task."""
        return bool(self.id) and self.word is not None

    @property
    def is_look(self) -> bool:
        """Whether an answer to a question about one task is about it, though it does not name it.

        A status word alone may be an envelope's.
        """
        return any(not _ONLY_TASKS.isdisjoint(layer) for layer in self.layers)


def task_in(document: Mapping[str, Any]) -> LumaTask:
    """The task in an answer, as far as there is one.

    What is wrapped knows best: the innermost status word counts, and a relay's record only where
    nothing inside has one. The id is the other way round: a `task_id` is what the relay wants to
    hear, while the `id` beside it is the number of a row; a number is believed where nothing else
    names the task.
    """
    layers = _opened(document)
    words = [_word(layer) for layer in reversed(layers[1:])]
    if len(layers) == 1 or _id(document):
        words.append(_word(document))
    said = [word for word in words if word is not None]
    task_ids = (identifier(layer.get("task_id")) for layer in layers)
    ids = (_id(layer) for layer in reversed(layers))
    named = identifier(document.get("data")) if len(layers) == 1 else ""
    numbers = (identifier(each.get("id")) for each in layers if _is_task(each))
    return LumaTask(
        id=next(filter(None, (*task_ids, *ids, named, *numbers)), ""),
        word=next(filter(None, said), said[0] if said else None),
        layers=layers,
    )


def _opened(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The document, what it wraps, and so on. A list of one is its entry."""
    layers = [document]
    while len(layers) < _DEEPEST:
        wrapped = layers[-1].get("data") or layers[-1].get("gen_api_response")
        entries = wire.mappings(wrapped)
        inner = entries[0] if len(entries) == 1 else wire.unpacked(wrapped)
        if not inner:
            break
        layers.append(inner)
    return layers


def _id(layer: Mapping[str, Any]) -> str:
    """The id of a task, which is text; a number may be a relay's own row."""
    value = layer.get("id")
    known = isinstance(value, str) and _is_task(layer)
    return identifier(layer.get("task_id")) or (identifier(value) if known else "")


def _is_task(layer: Mapping[str, Any]) -> bool:
    return not _TASK_FIELDS.isdisjoint(layer)


def _word(layer: Mapping[str, Any]) -> str | None:
    words = (layer.get(name) for name in ("state", "task_status", "status"))
    return next((word.strip() for word in words if isinstance(word, str)), None)


def status_of(task: LumaTask, medium: AssetType) -> Status | None:
    """What the status word means.

    Without one, files that are there are a success; None without any.

    Raises `UnrecognizedReply` with `asset_missing` for a success that brings nothing.
    """
    if task.word is None:
        assets = assets_in(task.layers, medium)
        return Succeeded(assets, details=_details(task)) if assets else None
    known = task.word.lower()
    if known in status_words.SUCCEEDED:
        return _success(task, medium)
    if known in status_words.FAILED:
        return failure_of(*_reason(task))
    if known in status_words.CANCELED:
        return Failed(_reason(task)[0] or "canceled upstream", ErrorCode.CANCELED)
    unknown_word = None if known in _QUEUED | _RUNNING else task.word[:_LONGEST_WORD]
    return Running(_progress(task), queued=known in _QUEUED, unknown_word=unknown_word)


def _success(task: LumaTask, medium: AssetType) -> Succeeded:
    assets = assets_in(task.layers, medium) or files_in(task.layers, medium)
    if not assets:
        raise UnrecognizedReply(
            "the upstream reports success and gives no URL", code=ErrorCode.ASSET_MISSING
        )
    return Succeeded(assets, details=_details(task))


def _progress(task: LumaTask) -> int | None:
    """Luma itself tells none; relays' records may."""
    found = (wire.percent(layer.get("progress")) for layer in task.layers)
    return next((percent for percent in found if percent is not None), None)


def _reason(task: LumaTask) -> tuple[str, str]:
    """Why it failed, in the words of the innermost layer that has any, and that layer's code."""
    for layer in reversed(task.layers):
        error = layer.get("error")
        code = wire.text(layer.get("failure_code")) or wire.text(wire.mapping(error).get("code"))
        message = wire.first_text(layer, "failure_reason", "fail_reason", "task_status_msg")
        message = message or error_message(error) or _own_message(layer)
        if message or wire.text(layer.get("failure_code")):
            return message, code
    return "", ""


def _own_message(layer: Mapping[str, Any]) -> str:
    """A `message` beside a `code` belongs to an envelope, and is about the exchange."""
    return "" if "code" in layer else wire.text(layer.get("message"))


def _details(task: LumaTask) -> dict[str, Any]:
    """Facts worth keeping. The echoed request is not: it holds the address of our callback."""
    names = {
        "model": ("model", "version"),
        "type": ("generation_type", "type"),
        "created_at": ("created_at",),
    }
    inner = next((layer for layer in reversed(task.layers) if _word(layer) is not None), None)
    inner = inner or wire.EMPTY
    facts = {name: wire.first_text(inner, *fields) for name, fields in names.items()}
    return {name: fact for name, fact in facts.items() if fact}
