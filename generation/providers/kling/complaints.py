"""Where a Kling-shaped answer says that something went wrong, and in which words.

Three ways are in use: Kling's envelope `{code, message}` with a code that is not 0; a station's own
envelope, whose code is a word and whose message may hold the upstream's whole answer as a string;
and OpenAI's `{error: {message, type, code}}`.
"""

from collections.abc import Mapping
from typing import Any

from generation.contract.reply import Reply
from generation.providers.kit import json_reader as wire
from generation.providers.kit.complaints import Complaint, told_in, unfolded

_SUCCESS_CODES = frozenset({"", "0", "200", "success", "succeed", "ok"})


def complaint_in(document: Mapping[str, Any], reply: Reply) -> Complaint | None:
    """What the answer complains about, or None where it does not."""
    found = read(document)
    if found is None and reply.status >= 400 and not wire.text(document.get("code")):
        found = _enveloped(document)
    return found and told_in(unfolded(found, read), reply, document)


def error_message(error: Any) -> str:
    """The words of an `error` field: an object with a message, or a plain string."""
    return wire.first_text(wire.mapping(error), "message", "msg", "detail") or wire.text(error)


def read(document: Mapping[str, Any]) -> Complaint | None:
    """A complaint by `error` or by `code`, the two fields that need no HTTP status to be one."""
    error = document.get("error")
    if error and not _is_task(document):
        return _openai(document, error)
    if wire.text(document.get("code")).lower() not in _SUCCESS_CODES:
        return _enveloped(document)
    return None


def _is_task(document: Mapping[str, Any]) -> bool:
    """OpenAI-style tasks carry an `error` field of their own beside their id and status word."""
    return bool(wire.first_text(document, "task_id", "id")) and isinstance(
        document.get("status"), str
    )


def _openai(document: Mapping[str, Any], error: Any) -> Complaint:
    inside = wire.mapping(error)
    code = wire.first_text(inside, "code") or wire.text(document.get("code"))
    message = error_message(error) or wire.text(document.get("message"))
    return Complaint(message, code, kind=wire.text(inside.get("type")))


def _enveloped(document: Mapping[str, Any]) -> Complaint:
    message = wire.first_text(document, "message", "msg", "description", "detail", "error")
    return Complaint(message, wire.text(document.get("code")))
