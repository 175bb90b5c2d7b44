"""Whether a complaint is about content."""

import re
from collections.abc import Iterator
from typing import Any, cast

from generation.providers.kit import json_reader as wire
from generation.providers.kit.quotations import LONGEST, outside_quotations

#: Deeper and larger answers are not searched to their end.
_DEEPEST = 12
_MOST = 500

#: What codes, reasons and types of moderation have in them.
_CODES = re.compile(
    r"content[ _-]?(filter|polic|moderat|violat|security|risk)|moderat(ed|ion)|sensitive|safety"
    r"|prohibited|block_?list|prompt_?block|data_?inspection|responsible_?ai|guardrail|nsfw"
    r"|inappropriate|policy_?violation|risk_?control|violation_fee|recitation|\bspii\b"
    r"|^(refusal|content_filtered)$|敏感|违规|审核|风控",
    re.IGNORECASE,
)
#: Codes of other trouble that one of these words stands in.
_NO_CODES = re.compile(r"case[ _-]?sensitive|safety_(tolerance|identifier)", re.IGNORECASE)

WORDS = (
    r"content[ _-]?(policy|policies|filter|moderation|security|risk|management policy)"
    r"|safety (system|check|filter|violation|reason)|harmful content|risk[ _]control"
    r"|moderation[_ ](block|fail)|input_moderation|output_moderation"
    r"|(failed|blocked|rejected|refused)\b.{0,30}\bmoderation|\bflagged\b"
    r"|(usage|our|safety|community) (\w+ )?(policy|policies|guidelines|guardrails)"
    r"|violat\w+.{0,60}(polic|guideline|terms|rules)|prohibited content|inappropriate"
    r"|(?<!case-)(?<!case )\bsensitive|nsfw|违规|违反|敏感|审核|风控|不合规|不适宜"
)
_WORDS = re.compile(WORDS, re.IGNORECASE)

#: Fields whose value is a code or a reason, by the end of their names.
_CODED = re.compile(r"(code|reasons?|type|category|categories)$", re.IGNORECASE)
#: Fields whose value is a sentence about the trouble.
_SAID = frozenset({"message", "msg", "detail", "error", "description", "errormessage"})


def is_code(code: str) -> bool:
    """Return whether a code, a type or a finish reason is one of moderation."""
    return bool(_CODES.search(code)) and not _NO_CODES.search(code)


def is_said(message: str) -> bool:
    """Return whether a sentence is about content, outside quotations."""
    return bool(_WORDS.search(outside_quotations(message)))


def is_named_in(document: Any) -> bool:
    """Return whether an error names moderation in a code, a reason or a sentence, at any depth."""
    return any(
        is_code(value) if _CODED.search(name) else is_said(value)
        for name, value in _texts(document)
    )


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the codes, reasons and sentences in a JSON value, and in JSON encoded in it."""
    waiting: list[tuple[str, Any, int]] = [("", document, 0)]
    for _ in range(_MOST):
        if not waiting:
            return
        name, value, depth = waiting.pop()
        if depth > _DEEPEST:
            continue
        if isinstance(value, dict):
            entries = cast(dict[str, Any], value).items()
            waiting += [(inner, each, depth + 1) for inner, each in entries]
        elif isinstance(value, list):
            waiting += [(name, each, depth + 1) for each in cast(list[Any], value)[:_MOST]]
        elif isinstance(value, str) and (packed := wire.unpacked(value)):
            waiting.append((name, packed, depth + 1))
        elif isinstance(value, str) and (_CODED.search(name) or name.lower() in _SAID):
            yield name, value[:LONGEST]
