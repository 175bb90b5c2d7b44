"""The texts of 422 responses: pydantic's errors as complaints, and did-you-mean hints.

Every complaint has a pointer into the body as it was sent, and quotes none of its values: bodies
have prompts and links.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import isclass
from itertools import islice
from typing import Any, cast, get_args
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.http.problems import Complaint
from generation.contract.request import LARGEST_INTEGER

Path = tuple[str | int, ...]
Context = Mapping[str, Any]

#: More complaints are not collected; that would take too long.
MOST_COMPLAINTS = 100
#: A longer name is shown shortened.
LONGEST_NAME = 200
#: More known names are not listed.
MOST_NAMES = 40


def pointer(path: Sequence[str | int]) -> str:
    """RFC 6901 in its URI fragment form: `#/input/shots/0`."""
    parts = (shown(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(["#", *(f"/{quote(part, safe='~')}" for part in parts)])


def shown(part: str | int) -> str:
    """Return a name as it was sent, shortened if it is very long."""
    return part[:LONGEST_NAME] if isinstance(part, str) else str(part)


def complaints(
    error: ValidationError, body: object, model: type[BaseModel], at: Path = ()
) -> list[Complaint]:
    """Return the errors of `body`, one complaint per pointer.

    `at` is the path of `body` in the whole request. The texts of the members of a union, which have
    the same path, are joined.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for details in islice(error.errors(include_url=False), MOST_COMPLAINTS):
        path = real_path(details, body)
        code, words = verdict(details, model, path)
        _, said = found.setdefault(pointer((*at, *path)), (code, []))
        if words not in said:
            said.append(words)
    return [Complaint(place, ", or ".join(said), code) for place, (code, said) in found.items()]


def unstorable(value: object, at: Path = ()) -> Iterator[Complaint]:
    """Yield complaints about what no database stores: U+0000 in a text, a number out of range."""
    match value:
        case str() if "\0" in value:
            yield Complaint(pointer(at), "must not contain the character U+0000", "invalid")
        case float() if not math.isfinite(value):
            yield Complaint(pointer(at), "is too large a number", "range")
        case int() if not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
            words = f"must be between {-LARGEST_INTEGER - 1} and {LARGEST_INTEGER}"
            yield Complaint(pointer(at), words, "range")
        case dict():
            for name, entry in cast(dict[str, object], value).items():
                if "\0" in name:
                    yield Complaint(pointer(at), "has a name with U+0000 in it", "invalid")
                yield from unstorable(entry, (*at, name))
        case list():
            for index, entry in enumerate(cast(list[object], value)):
                yield from unstorable(entry, (*at, index))
        case _:
            return


def real_path(details: ErrorDetails, body: object) -> Path:
    """Return the path of the error without the names of types that pydantic inserts."""
    path: list[str | int] = []
    value = body
    for place, part in enumerate(details["loc"], 1):
        entered = entry(value, part)
        if entered is not ABSENT:
            value = entered
            path.append(part)
        elif details["type"] == "missing" and place == len(details["loc"]):
            path.append(part)
    return tuple(path)


ABSENT = object()


def entry(value: object, part: str | int) -> object:
    """Return the value at this name or index, or `ABSENT`."""
    if isinstance(value, dict):
        return cast(dict[str | int, object], value).get(part, ABSENT)
    if isinstance(value, list) and isinstance(part, int):
        entries = cast(list[object], value)
        return entries[part] if part < len(entries) else ABSENT
    return ABSENT


def verdict(details: ErrorDetails, model: type[BaseModel], path: Path) -> tuple[str, str]:
    """Return the code and the text for one error."""
    kind = details["type"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown_field", f"is not a known field{known(str(path[-1]), model, path[:-1])}"
    if kind in WANTED:
        return "type", f"must be {WANTED[kind]}, not {json_type(details['input'])}"
    if kind in LENGTHS:
        return "length", LENGTHS[kind](context, unit_of(details["input"]))
    if kind in WORDS:
        code, words = WORDS[kind]
        return code, words(context)
    words = details["msg"].removeprefix("Value error, ")
    return "invalid", words.replace("Input should be", "must be").replace("Input should", "must")


#: Errors that say "not of this type".
WANTED: Mapping[str, str] = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a JSON object",
    "model_type": "a JSON object",
    "model_attributes_type": "a JSON object",
    "list_type": "a JSON array",
    "tuple_type": "a JSON array",
}

#: All other errors whose own words would not help, with the code they are told by.
WORDS: Mapping[str, tuple[str, Callable[[Context], str]]] = {
    "missing": ("required", lambda _: "is required"),
    "literal_error": ("enum", lambda c: f"must be {one_of(str(c['expected']))}"),
    "enum": ("enum", lambda c: f"must be {one_of(str(c['expected']))}"),
    "string_too_long": ("length", lambda c: f"must have at most {c['max_length']} characters"),
    "string_too_short": ("length", lambda c: at_least(c["min_length"], "characters")),
    "greater_than": ("range", lambda c: f"must be more than {c['gt']}"),
    "greater_than_equal": ("range", lambda c: f"must be at least {c['ge']}"),
    "less_than": ("range", lambda c: f"must be less than {c['lt']}"),
    "less_than_equal": ("range", lambda c: f"must be at most {c['le']}"),
    "form": ("pattern", lambda c: f"must be {c['wanted']}"),
}


#: Lengths of what has a length: a text behind another check, a list, an object.
LENGTHS: Mapping[str, Callable[[Context, str], str]] = {
    "too_long": lambda c, unit: f"must have at most {c['max_length']} {unit}",
    "too_short": lambda c, unit: at_least(c["min_length"], unit),
}


def unit_of(value: object) -> str:
    """Return the unit of the length of this value."""
    return "characters" if isinstance(value, str) else "entries"


def one_of(expected: str) -> str:
    return f"one of {expected}" if " or " in expected else expected


def at_least(count: int, what: str) -> str:
    return "must not be empty" if count == 1 else f"must have at least {count} {what}"


def json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case dict():
            return "an object"
        case _:
            return "an array"


def known(name: str, model: type[BaseModel], path: Path) -> str:
    """Return the names that are known at this path, with a hint at the most similar one."""
    here = model_at(model, path)
    names = [field.alias or name for name, field in here.model_fields.items()] if here else []
    hint = likely(name, names)
    listed = f" Known here: {', '.join(names)}" if 0 < len(names) <= MOST_NAMES else ""
    return f"{hint or ('.' if listed else '')}{listed}"


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """Return the model of the object at this path; None if the annotations have none."""
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int) or here is None:
            continue
        field = here.model_fields.get(part)
        here = next(models_in(field.annotation), None) if field else None
    return here


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


#: A longer name is shortened before it is compared: comparing takes time that grows with length.
MAX_COMPARED = 100


def likely(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean state?`, or nothing if no known name is similar."""
    similar = difflib.get_close_matches(name[:MAX_COMPARED], list(known), 1)
    return f"; did you mean {similar[0]}?" if similar else ""


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """Return `there is no such provider; did you mean kling? There are flux, kling`."""
    names = list(known)
    hint = likely(name, names)
    return f"there is no {what}{hint or ';'} {'There' if hint else 'there'} are {', '.join(names)}"


def no_such_operation(provider: str, name: str, known: Iterable[str]) -> str:
    """Return the text for an unknown operation. It names the operations of this provider only."""
    names = sorted(known)
    hint = likely(name, names)
    return (
        f"{provider} has no such operation{hint}{' It' if hint else '; it'} has {', '.join(names)}"
    )
