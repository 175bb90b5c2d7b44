"""Where an answer says that something went wrong, and in which words.

The vendor answers `{detail}` (a sentence, a list of invalid fields or an object), sometimes with a
`message`; fal and Replicate do nearly the same. Relays answer `{error: {message, type, code}}`, or
`{code, message, data}` with a code that is no success.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from generation.contract.reply import Reply, storable
from generation.providers.kit import json_reader as wire
from generation.providers.kit.complaints import Complaint, told_in, unfolded

_SUCCESS_CODES = frozenset({"", "0", "200", "201", "success", "succeed", "ok"})

_WORDS = ("message", "msg", "title", "description", "error_message")


def complaint_in(document: Mapping[str, Any], reply: Reply) -> Complaint | None:
    """What the answer complains about, or None where it does not."""
    found = _spoken(document)
    if found is None and (reply.status >= 400 or _is_lone_detail(document)):
        found = _bare(document)
    if found is None:
        return None
    found = told_in(unfolded(found, read_packed), reply, document)
    code = found.code or storable(reply.headers.get("x-fal-error-type", ""))[:100]
    return replace(found, code=code)


def read_packed(document: Mapping[str, Any]) -> Complaint | None:
    """The complaint in an answer that a station packed into the message of its own."""
    packed = _spoken(document) or _bare(document)
    return packed if packed.message else None


def words_of(value: Any) -> str:
    """A sentence, from a string, a list of invalid fields, or an object about an error."""
    if isinstance(value, list):
        return "; ".join(
            filter(None, (_field(wire.mapping(each)) for each in wire.sequence(value)))
        )
    inner = wire.mapping(value)
    if not inner:
        return wire.text(value)
    said = (words_of(inner.get(name)) for name in ("detail", "error") if name in inner)
    return next(filter(None, said), "") or wire.first_text(inner, *_WORDS)


def _spoken(document: Mapping[str, Any]) -> Complaint | None:
    """A complaint by `error` or by `code`, the two fields that need no HTTP status to be one."""
    error = document.get("error")
    if error and not is_task(document):
        inner = wire.mapping(error)
        code = wire.first_text(inner, "code", "type") or wire.text(document.get("code"))
        message = words_of(document.get("detail")) or words_of(error)
        own = wire.first_text(document, "message")
        # `{"error": "bad_prompt", "message": "…"}`: a word for machines and one for people.
        if own and not inner:
            return Complaint(own, code or message)
        return Complaint(message, code, kind=wire.text(inner.get("type")))
    code = wire.text(document.get("code"))
    if code.lower() not in _SUCCESS_CODES:
        return Complaint(words_of(document), code)
    return None


def _bare(document: Mapping[str, Any]) -> Complaint:
    codes = (wire.text(wire.mapping(each).get("type")) for each in _details(document))
    return Complaint(words_of(document), next(filter(None, codes), ""))


def _details(document: Mapping[str, Any]) -> Iterator[Any]:
    detail = document.get("detail")
    yield from wire.sequence(detail) if isinstance(detail, list) else ()


def _field(entry: Mapping[str, Any]) -> str:
    """One invalid field: where it is in the body, and what is wrong with it."""
    place = ".".join(each for each in wire.texts(entry.get("loc")) if each != "body")
    return ": ".join(filter(None, (place, wire.first_text(entry, "msg", "message"))))


def is_task(document: Mapping[str, Any]) -> bool:
    """Tasks have an `error` field of their own beside their status word."""
    return any(isinstance(document.get(name), str) for name in ("status", "state"))


def _is_lone_detail(document: Mapping[str, Any]) -> bool:
    """A `detail` with no task around it is a complaint even where a relay says HTTP 200."""
    return "detail" in document and not (is_task(document) or wire.first_identifier(document, "id"))
