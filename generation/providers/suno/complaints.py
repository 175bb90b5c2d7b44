"""Where an answer of the Suno-API family says that something went wrong, and in which words.

Three ways are in use: the family's own envelope `{code, message, data}` with a code that is no
success; a relay's envelope whose message is the upstream's whole answer as a string; and OpenAI's
`{error: {message, type, code}}`. A Suno-API passes Suno's status line on as its message.
"""

from collections.abc import Mapping
from typing import Any

from generation.contract.reply import Reply
from generation.providers.kit import json_reader as wire
from generation.providers.kit.complaints import Complaint, told_in, unfolded

_SUCCESS_CODES = frozenset({"", "success", "succeed", "ok", "1", "200", "201"})
#: Success too, where anything comes with it.
_SUCCESS_WITH_DATA = "0"


def complaint_in(document: Mapping[str, Any], reply: Reply) -> Complaint | None:
    """What the answer complains about, or None where it does not."""
    found = _spoken(document)
    if found is None and reply.status >= 400 and not wire.text(document.get("code")):
        found = _enveloped(document)
    return found and told_in(unfolded(found, _spoken), reply, document)


def _spoken(document: Mapping[str, Any]) -> Complaint | None:
    """A complaint by `error` or by `code`, the two fields that need no HTTP status to be one."""
    error = document.get("error")
    if error and not isinstance(error, bool):
        inside = wire.mapping(error)
        message = wire.first_text(inside, "message", "msg", "detail") or wire.text(error)
        code = wire.first_text(inside, "code") or wire.text(document.get("code"))
        message = message or wire.first_text(document, "message", "msg")
        return Complaint(message, code, kind=wire.text(inside.get("type")))
    code = wire.text(document.get("code")).lower()
    if code in _SUCCESS_CODES or (code == _SUCCESS_WITH_DATA and document.get("data")):
        return None
    return _enveloped(document)


def _enveloped(document: Mapping[str, Any]) -> Complaint:
    message = wire.first_text(document, "message", "msg", "detail", "error", "description")
    return Complaint(message, wire.text(document.get("code")))
