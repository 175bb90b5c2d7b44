"""The task, as every query answers it: bare, in one shape for all commands.

Progress and `failReason` are hints; only `status` ends a task.
"""

import re
from collections.abc import Mapping
from typing import Any

from generation.contract.errors import ErrorCode, UnrecognizedReply
from generation.contract.status import Action, AwaitingInput, Failed, Running, Status, Succeeded
from generation.providers.kit import status_words
from generation.providers.midjourney.assets import task_assets
from generation.providers.midjourney.fields import identifier, mapping, sequence, text
from generation.providers.midjourney.reasons import failure
from generation.providers.midjourney.texts import TEXT_ACTIONS, task_texts

#: A missing status is a relay's before its first look at its own upstream.
_WAITING = status_words.QUEUED | {""}
_CANCELED = status_words.CANCELED | {"cancel"}

#: A task has two of these at the least; refusals with a `status` of their own have none but that.
_TASK_FIELDS = frozenset(
    {"id", "action", "status", "progress", "submitTime", "imageUrl", "failReason", "buttons"}
)
_PERCENT = re.compile(r"\s*(\d{1,3})\s*%?")


def is_task(document: Mapping[str, Any]) -> bool:
    """Whether this is a task, and not a refusal or another service's answer."""
    is_word = isinstance(document.get("status", ""), str | None)
    return is_word and len(_TASK_FIELDS & document.keys()) >= 2


def read_task(task: Mapping[str, Any], default_action: str | None) -> Status:
    """Where a task stands.

    `default_action` is what it does where it does not say, None where that is not known.

    Raises `UnrecognizedReply` for a success that cannot be read, with `asset_missing` for one that
    brings nothing.
    """
    action = text(task.get("action")).upper() or default_action
    word = text(task.get("status"))
    reason = text(task.get("failReason"))
    match word.lower():
        case known if known in status_words.SUCCEEDED:
            return _succeeded(task, action)
        case known if known in status_words.FAILED:
            return failure(reason)
        case known if known in _CANCELED:
            return Failed(reason or "canceled upstream", ErrorCode.CANCELED)
        case "modal":
            return AwaitingInput(identifier(task.get("id")), text(task.get("description")))
        case known if known in _WAITING:
            return Running(_progress(task), queued=True)
        case known if known in status_words.RUNNING:
            return Running(_progress(task))
        case _:
            return Running(_progress(task), unknown_word=word)


def _progress(task: Mapping[str, Any]) -> int | None:
    """Percent; proxies also write blanks, and words such as "paused"."""
    percent = _PERCENT.match(str(task.get("progress")))
    return min(int(percent[1]), 100) if percent else None


def _succeeded(task: Mapping[str, Any], action: str | None) -> Succeeded:
    """A success with neither file nor text is none yet: its books may still be catching up."""
    if action is None:
        raise UnrecognizedReply("a task reports success and does not say what it did")
    is_text = action in TEXT_ACTIONS
    assets = () if is_text else task_assets(task, action)
    texts = task_texts(task, action) if is_text else ()
    if not assets and not texts:
        raise UnrecognizedReply(
            f"the {action} task reports success and gives no " + ("text" if is_text else "URL"),
            code=ErrorCode.ASSET_MISSING,
        )
    return Succeeded(assets, texts, _actions(task), _details(task))


def _actions(task: Mapping[str, Any]) -> tuple[Action, ...]:
    buttons = [mapping(button) for button in sequence(task.get("buttons"))]
    return tuple(
        Action(text(button.get("label")) or text(button.get("emoji")) or custom_id, custom_id)
        for button in buttons
        if (custom_id := text(button.get("customId")))
    )


def _details(task: Mapping[str, Any]) -> dict[str, Any]:
    """Facts worth keeping. The properties' rest is the proxy's own, our callback URL among it."""
    properties = mapping(task.get("properties"))
    facts = {
        "action": text(task.get("action")),
        "final_prompt": text(properties.get("finalPrompt")),
        "prompt_en": text(task.get("promptEn")),
        "seed": identifier(task.get("seed")),
        "mode": text(task.get("mode")),
        "midjourney_job_id": text(task.get("jobId")),
    }
    return {name: fact for name, fact in facts.items() if fact}
