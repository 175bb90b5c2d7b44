"""Where an answer says that something went wrong, and in which words.

Relays pass the answers of many services on, so every envelope is read: OpenAI's `{error: {message,
type, code}}`, a bare `{error}` or `{detail}`, `{code, message, data}`, Chat Open's `{code, msg}`
with `data.errorMessage`, Midjourney's `{code, description}`, MiniMax's `{base_resp}`, Stability's
`{name, errors}`, `{ErrCode, ErrMsg}` and `{success: false, message}`. All may come with HTTP 200.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generation.contract.reply import Reply
from generation.providers.kit import json_reader as wire
from generation.providers.kit.complaints import Complaint, told_in, unfolded

#: More of it is neither read nor told.
LONGEST_COMPLAINT = 4000

_SUCCESS_CODES = frozenset({"", "0", "1", "200", "10000", "success", "succeed", "ok"})

_WORDS = ("message", "msg", "description", "errorMessage", "error_message", "detail", "title")


def complaint_in(document: Mapping[str, Any], reply: Reply) -> Complaint | None:
    """What the answer complains about, or None where it does not.

    To be asked of an answer that has nothing else in it.
    """
    found = _spoken(document)
    if found is None and reply.status >= 400:
        found = _bare(document)
    if found is None:
        return None
    found = told_in(unfolded(found, _packed), reply, document)
    return replace(found, message=found.message[:LONGEST_COMPLAINT])


def is_success(code: Any) -> bool:
    """Whether an envelope's code says that all is well; a missing one does not say otherwise."""
    if code is None or isinstance(code, bool):
        return code is not False
    return wire.text(code).lower() in _SUCCESS_CODES


def _packed(document: Mapping[str, Any]) -> Complaint | None:
    """The complaint in an answer that a station packed into the message of its own."""
    packed = _spoken(document) or _bare(document)
    return packed if packed.message else None


def _spoken(document: Mapping[str, Any]) -> Complaint | None:
    """A complaint by one of the fields that need no HTTP status to be one."""
    if event := _event(document):
        return event
    if error := document.get("error"):
        inside = wire.mapping(error)
        code = wire.first_text(inside, "code", "type") or wire.text(document.get("code"))
        message = _words_of(error) or wire.first_text(document, *_WORDS)
        return Complaint(message, code, kind=wire.text(inside.get("type")))
    base = wire.mapping(document.get("base_resp"))
    if not is_success(base.get("status_code")):
        return Complaint(wire.text(base.get("status_msg")), wire.text(base.get("status_code")))
    if not is_success(document.get("ErrCode")):
        return Complaint(wire.text(document.get("ErrMsg")), wire.text(document.get("ErrCode")))
    if not is_success(document.get("code")) or document.get("success") is False:
        return _bare(document)
    if document.get("errors") or document.get("detail"):
        return _bare(document)
    return None


def _event(document: Mapping[str, Any]) -> Complaint | None:
    """Return the complaint of the last event of a stream, in forms without `error`.

    These are OpenAI's `response.failed` and similar events, its bare `error`, and Gemini's
    `promptFeedback`.
    """
    response = wire.mapping(document.get("response"))
    if wire.mapping(response.get("error")):
        return _spoken(response)
    details = wire.mapping(response.get("incomplete_details"))
    feedback = wire.mapping(document.get("promptFeedback"))
    if reason := wire.text(details.get("reason")) or wire.text(feedback.get("blockReason")):
        words = wire.first_text(feedback, "blockReasonMessage")
        return Complaint(words or f"the upstream ended the answer: {reason}", reason)
    return _bare(document) if document.get("type") == "error" and "error" not in document else None


def _bare(document: Mapping[str, Any]) -> Complaint:
    """An envelope that is known for a complaint by something else."""
    listed = _words_of(document.get("errors")) or _words_of(document.get("detail"))
    message = listed or wire.first_text(document, *_WORDS) or _words_of(document.get("data"))
    return Complaint(message, wire.first_text(document, "code", "name", "type"))


def _words_of(value: Any) -> str:
    """A sentence, from a string, a list of sentences or invalid fields, or an object about one."""
    if isinstance(value, list):
        return "; ".join(filter(None, map(_sentence, wire.sequence(value)[:20])))
    return _sentence(value)


def _sentence(value: Any) -> str:
    inside = wire.mapping(value)
    if not inside:
        return wire.text(value)
    place = ".".join(map(wire.text, wire.sequence(inside.get("loc")))).removeprefix("body.")
    return ": ".join(filter(None, (place, wire.first_text(inside, *_WORDS, "reason"))))
