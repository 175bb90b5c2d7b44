"""The addresses and files that a request contains.

An upstream may quote them; they are no results.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import unquote, urlsplit

#: An address within a text; scripts without blanks go on right behind it, so both ends are tried.
_ADDRESS = re.compile(r"https?://[^\s\"'<>`\\]{1,4000}", re.IGNORECASE)
_LONGEST = 4000
_ASCII = re.compile(r"[!-~]*")
_PUNCTUATION = ".,;:!?)]}*"
#: A text this long without a blank is a file in bare base64.
_SHORTEST_FILE = 100


def given_in(*documents: Any) -> frozenset[str]:
    """Every address and file in these JSON documents, by its `name_of`."""
    return frozenset(name for document in documents for name in _names(document))


def name_of(address: str) -> str:
    """Return what all spellings of one URL or file share.

    For a URL that is the URL without scheme and fragment, with its path decoded; for a data URI its
    content.
    """
    if address[:5].lower() == "data:":
        return address.partition(",")[2]
    try:
        parts = urlsplit(html.unescape(address))
    except ValueError:
        return address
    host = parts.netloc.lower().removesuffix(":443").removesuffix(":80")
    return f"{host}{unquote(parts.path)}?{parts.query}"


def _names(value: Any) -> Iterator[str]:
    match value:
        case str() if value[:5].lower() == "data:":
            yield name_of(value)
        case str() if "://" in value:
            yield from _within(value)
        case str() if len(value) >= _SHORTEST_FILE and " " not in value:
            yield value
        case list() | tuple():
            for entry in cast(list[Any], value):
                yield from _names(entry)
        case Mapping():
            for entry in cast(Mapping[str, Any], value).values():
                yield from _names(entry)
        case _:
            pass


def _within(text: str) -> Iterator[str]:
    if text[:4].lower() == "http" and len(text) <= _LONGEST:
        yield name_of(text)
    for match in _ADDRESS.finditer(text):
        found = match[0]
        ascii_part = _ASCII.match(found)
        for spelling in {found, ascii_part[0] if ascii_part else found}:
            yield name_of(spelling)
            yield name_of(spelling.rstrip(_PUNCTUATION))
