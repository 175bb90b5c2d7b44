"""What an upstream says went wrong, in its own words, wherever in an answer that stands."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from generation.contract.reply import Reply, storable
from generation.providers.kit import json_reader as wire
from generation.providers.kit import moderation
from generation.providers.kit.quotations import outside_quotations

#: Enough for a person to read; stations pass whole pages on.
LONGEST_MESSAGE = 500
LONGEST_CODE = 100

#: An answer within an answer within an answer is as deep as chained stations get.
_DEEPEST = 3

#: What relays call an answer of their upstream that they pass on.
_RELAYED = frozenset({"fail_to_fetch_task", "task_failed"})

_STATUS = re.compile(r"[45][0-9]{2}")
#: A code such as `insert_task_failed` at the beginning of a message.
_LEADING_CODE = re.compile(r"\s*([a-z]+(?:_[a-z]+)+)(?=\s|:|$)")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an upstream says went wrong, in its own words."""

    message: str
    #: The service's own code as text; "" where it gave none.
    code: str = ""
    #: The HTTP status it came with; 0 where it came inside an answer about a task.
    status: int = 0
    retry_after: timedelta | None = None
    #: The service's own name for this kind of error, beside the code: OpenAI's `type`.
    kind: str = ""
    #: Whether a relay passes on what its upstream said to it.
    relayed: bool = False
    #: Whether the answer names moderation anywhere, in a code or a reason.
    moderated: bool = False

    @property
    def deciding_status(self) -> int:
        """A code of three digits is an HTTP status that a station passes on; else the answer's."""
        return int(self.code) if _STATUS.fullmatch(self.code) else self.status

    @property
    def codes(self) -> tuple[str, ...]:
        """The code, the kind, and what stands like a code at the beginning of the message."""
        leading = _LEADING_CODE.match(self.message)
        return (self.code.lower(), self.kind.lower(), leading[1] if leading else "")

    @property
    def said(self) -> str:
        """The words that count: what is quoted may be the caller's own prompt."""
        return outside_quotations(self.message)


Complaint_t = TypeVar("Complaint_t", bound=Complaint)


def wordless(reply: Reply) -> Complaint:
    """The complaint of an answer that is no JSON object: its status and how it begins."""
    message = f"HTTP {reply.status} without a readable answer: {reply.excerpt()}"
    return told_in(Complaint(message), reply)


def told_in(complaint: Complaint_t, reply: Reply, document: Any = None) -> Complaint_t:
    """Return the complaint with the context of its answer.

    That is the status, the requested wait, and whether moderation is named anywhere in the
    `document`.
    """
    return replace(
        complaint,
        message=complaint.message or reply.excerpt(),
        status=reply.status,
        retry_after=reply.retry_after,
        moderated=complaint.moderated or moderation.is_named_in(document),
    )


def unfolded(
    complaint: Complaint_t, read: Callable[[Mapping[str, Any]], Complaint_t | None]
) -> Complaint_t:
    """The complaint that a station packed into the message of its own, if `read` finds one."""
    relayed = complaint.code in _RELAYED
    for _ in range(_DEEPEST):
        document = packed_in(complaint.message)
        inner = read(document) if document else None
        if inner is None or not (inner.message or inner.code):
            break
        relayed = relayed or complaint.code in _RELAYED
        complaint = inner
    return replace(complaint, relayed=relayed or complaint.code in _RELAYED)


def packed_in(text: str) -> Mapping[str, Any]:
    """The JSON object in a text, perhaps after words; an empty one where there is none."""
    if found := wire.unpacked(text):
        return found
    start = text.find('{"')
    if start < 0:
        return wire.EMPTY
    try:
        return wire.mapping(storable(json.JSONDecoder().raw_decode(text, start)[0]))
    except (ValueError, RecursionError):
        return wire.EMPTY
