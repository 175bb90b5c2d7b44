"""Tasks whose result is text: descriptions of a picture, and shorter versions of a prompt."""

import re
from collections.abc import Mapping
from typing import Any

from generation.providers.midjourney.fields import mapping, text

#: Actions that end in text; their `imageUrl`, if any, is the input.
TEXT_ACTIONS = frozenset({"DESCRIBE", "SHORTEN"})

#: `1️⃣ ` and so on, with or without the variation selector.
_NUMBER = re.compile(r"(?:^|\s)[1-5]\uFE0F?\u20E3\s*")


def task_texts(task: Mapping[str, Any], action: str) -> tuple[str, ...]:
    """The numbered texts of the result, or the whole of it where nothing is numbered."""
    properties = mapping(task.get("properties"))
    whole = text(properties.get("finalPrompt"))
    if action == "DESCRIBE":  # for a shortened prompt these two are the input
        whole = whole or text(task.get("promptEn")) or text(task.get("prompt"))
    _heading, *numbered = _NUMBER.split(whole)
    return tuple(filter(None, (each.strip() for each in numbered or [whole])))
