"""
Where an answer of the Suno-API family says that something went wrong, and in which words.

Three ways are in use: the family's own envelope `{code, message, data}` with a code that is no
success; a relay's envelope whose message is the upstream's whole answer as a string; and OpenAI's
`{error: {message, type, code}}`. A Suno-API passes Suno's status line on as its message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from generation.operation import Reply
from generation.providers.suno import fields

_SUCCESS_CODES = frozenset({"", "success", "succeed", "ok", "1", "200", "201"})
#: Success too, where anything comes with it.
_SUCCESS_WITH_DATA = "0"

_STATUS_LINE = re.compile(r"([45][0-9]{2})( [A-Za-z].*)?")
_STATUS_CODE = re.compile(r"[45][0-9]{2}")

#: An answer within an answer within an answer is as deep as chained stations get.
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an upstream says went wrong, in its own words."""

    message: str
    #: The service's own code as text; "" where it gave none.
    code: str = ""
    status: int = 0
    retry_after: timedelta | None = None

    @property
    def suno_status(self) -> int:
        """The HTTP status that Suno itself answered, where the message is its status line; or 0."""
        line = _STATUS_LINE.fullmatch(self.message.strip())
        return int(line[1]) if line else 0

    @property
    def own_status(self) -> int:
        """The HTTP status in the service's code, where that is what it is; or 0."""
        return int(self.code) if _STATUS_CODE.fullmatch(self.code) else 0


def complaint_in(document: Mapping[str, Any], reply: Reply) -> Complaint | None:
    """What the answer complains about, or None where it does not."""
    found = _spoken(document)
    if found is None and reply.status >= 400 and not fields.text(document.get("code")):
        found = _enveloped(document)
    if found is None:
        return None
    innermost = _unfolded(found)
    return replace(
        innermost,
        message=innermost.message or reply.excerpt(),
        status=reply.status,
        retry_after=reply.retry_after,
    )


def wordless(reply: Reply) -> Complaint:
    """The complaint of an answer that is no JSON object: its status and how it begins."""
    message = f"HTTP {reply.status} without a readable answer: {reply.excerpt()}"
    return Complaint(message, status=reply.status, retry_after=reply.retry_after)


def _unfolded(complaint: Complaint) -> Complaint:
    """The complaint that a relay packed into the message of its own, if it did."""
    for _ in range(_DEEPEST):
        inner = _spoken(fields.mapping(fields.unpacked(complaint.message)))
        if inner is None:
            break
        complaint = inner
    return complaint


def _spoken(document: Mapping[str, Any]) -> Complaint | None:
    """A complaint by `error` or by `code`, the two fields that need no HTTP status to be one."""
    error = document.get("error")
    if error and not isinstance(error, bool):
        inside = fields.mapping(error)
        message = fields.first_text(inside, "message", "msg", "detail") or fields.text(error)
        code = fields.first_text(inside, "code") or fields.text(document.get("code"))
        return Complaint(message or fields.first_text(document, "message", "msg"), code)
    code = fields.text(document.get("code")).lower()
    if code in _SUCCESS_CODES or (code == _SUCCESS_WITH_DATA and document.get("data")):
        return None
    return _enveloped(document)


def _enveloped(document: Mapping[str, Any]) -> Complaint:
    message = fields.first_text(document, "message", "msg", "detail", "error", "description")
    return Complaint(message, fields.text(document.get("code")))
