"""The JSON in an answer, however a relay wrapped it up.

Relays stream although nobody asked, append an error to an answer that was already written, or say
the same thing twice. So a body is read as one JSON value after another, and the lines of a stream
are put together into the answer they are the pieces of.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from generation.contract.reply import Reply, storable
from generation.providers.kit import json_reader as wire
from generation.providers.openai.streams import joined

#: A body of more values than this is no answer.
_MOST_DOCUMENTS = 100_000

#: Not every character that Python calls a line break ends a line of a stream.
_LINE_END = re.compile(r"\r\n|\r|\n")
#: Lines of an event stream: fields, and comments that keep the connection open.
_STREAM = re.compile(r"\s*(?:(?:data|event|id|retry)\s*:|:)")
_END = re.compile(r"^data:\s*\[DONE\]", re.MULTILINE)
_DECODER = json.JSONDecoder()


def documents_in(reply: Reply) -> list[Mapping[str, Any]]:
    """Every JSON object that the answer consists of, in their order; a stream is one.

    Empty where there is no object, or something that is no JSON follows the last one.
    """
    text = reply.body.decode("utf-8", "replace").lstrip("\ufeff")
    if _STREAM.match(text):
        pieces = [piece for data in _events(text) for piece in _values(data)]
        return [joined(pieces, ended=bool(_END.search(text)))] if pieces else []
    return list(_values(text))


def _events(text: str) -> Iterator[str]:
    """The data of each event; a data of several lines is several values or one over lines.

    An error may be told in plain words.
    """
    held: list[str] = []
    event = ""
    for line in (*_LINE_END.split(text), ""):
        name, _, value = line.partition(":")
        if name.strip() == "data":
            held.append(value.strip())
        elif name.strip() == "event":
            event = value.strip()
        elif not line.strip() and held:
            data = "\n".join(each for each in held if each != "[DONE]")
            in_words = event == "error" and data and data[0] not in "{["
            yield json.dumps({"error": data}) if in_words else data
            held, event = [], ""


def _values(text: str) -> Iterator[Mapping[str, Any]]:
    """The objects that the text consists of, up to the first thing that is no JSON."""
    at, escaped = 0, "\\u" in text
    for _ in range(_MOST_DOCUMENTS):
        at = _next(text, at)
        if at == len(text):
            return
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        value = storable(value) if escaped else value
        entries = cast(list[Any], value) if isinstance(value, list) else [value]
        yield from (each for each in map(wire.mapping, entries) if each)


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
