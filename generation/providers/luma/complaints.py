"""Where an answer says that something went wrong, and in which words.

The vendors say `{"detail": …}`, where the detail is a text, a list of validation errors or, at the
gateway behind many relays, an object with a reason. Relays say `{"code", "message"}` or OpenAI's
`{"error": {"message", "type", "code"}}`, at times with the upstream's answer packed into the
message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from generation.contract.reply import Reply
from generation.providers.kit import json_reader as wire
from generation.providers.kit.complaints import Complaint, told_in, unfolded

_SUCCESS_CODES = frozenset({"", "0", "200", "201", "success", "succeed", "ok"})


@dataclass(frozen=True, slots=True)
class LumaComplaint(Complaint):
    """A complaint of Luma, of its gateway, or of a relay."""

    #: True in the words of Luma itself, or of the gateway that drives its site: a `detail`.
    from_luma: bool = False


def complaint_in(document: Mapping[str, Any], reply: Reply) -> LumaComplaint | None:
    """What the answer complains about, or None where it does not."""
    found = _spoken(document)
    if found is None and reply.status >= 400:
        found = _enveloped(document)
    return found and told_in(unfolded(found, read_packed), reply, document)


def read_packed(document: Mapping[str, Any]) -> LumaComplaint | None:
    """The complaint in an answer that a relay packed into the message of its own."""
    packed = _spoken(document) or _enveloped(document)
    return packed if packed.message or packed.code else None


def _spoken(document: Mapping[str, Any]) -> LumaComplaint | None:
    """A complaint by one of the fields that need no HTTP status to be one."""
    if detail := document.get("detail"):
        inside = wire.mapping(detail)
        code = wire.first_text(inside, "code", "failure_code")
        return LumaComplaint(detail_text(detail), code, from_luma=True)
    error = document.get("error")
    if error_message(error):
        inside = wire.mapping(error)
        code = wire.first_text(inside, "code") or wire.text(document.get("code"))
        return LumaComplaint(error_message(error), code, kind=wire.text(inside.get("type")))
    refused = document.get("success") is False
    if refused or wire.text(document.get("code")).lower() not in _SUCCESS_CODES:
        return _enveloped(document)
    return None


def _enveloped(document: Mapping[str, Any]) -> LumaComplaint:
    inner = wire.mapping(document.get("data")).get("error")
    message = wire.first_text(document, "message", "msg", "description", "reason")
    return LumaComplaint(message or error_message(inner), wire.text(document.get("code")))


def error_message(error: Any) -> str:
    """The words of an `error` field: a plain text, or an object with a message.

    Tasks that did not fail may carry an empty one.
    """
    inside = wire.mapping(error)
    return wire.first_text(inside, "message", "msg", "raw_message", "detail") or wire.text(error)


def detail_text(detail: Any) -> str:
    """The words of a `detail`: `body.model: Field required; …` for a list of validation errors."""
    if isinstance(detail, list):
        return "; ".join(filter(None, map(_validation_text, wire.mappings(cast(Any, detail)))))
    inside = wire.mapping(detail)
    names = ("reason", "message", "msg", "detail", "failure_reason")
    return wire.first_text(inside, *names) or wire.text(detail)


def _validation_text(error: Mapping[str, Any]) -> str:
    steps = error.get("loc")
    path = ".".join(map(wire.text, cast(list[Any], steps))) if isinstance(steps, list) else ""
    return ": ".join(filter(None, (path, wire.text(error.get("msg")))))
