"""What Kling gives ids to and no file: voices and elements.

They are kept in a result's details as flat objects of texts under the vendor's names, where
follow-ups find them. What has no file that a person could open is also said in a text, so that a
result is never empty.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.providers.kit import json_reader as wire


@dataclass(frozen=True, slots=True)
class Shelf:
    """The voices and elements in an answer."""

    details: dict[str, Any] = field(default_factory=dict[str, Any])
    texts: tuple[str, ...] = ()


#: The name of a list, and the id of its entries.
_LISTS: Mapping[str, str] = {"voices": "voice_id", "elements": "element_id"}


def shelf_in(layers: Sequence[Mapping[str, Any]]) -> Shelf:
    """The voices and elements of a task and of what it wraps; the innermost that has any counts."""
    for layer in reversed(layers):
        found = {name: list(_entries(layer, name)) for name in _LISTS}
        if known := {name: entries for name, entries in found.items() if entries}:
            return shelved(known)
    return Shelf()


def shelved(lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> Shelf:
    """These entries by the name of their list; those without an id are left out."""
    details = {name: [flat(entry) for entry in entries] for name, entries in lists.items()}
    texts = (
        _text(name, entry)
        for name, entries in lists.items()
        for entry in entries
        if not wire.url(entry.get("trial_url"))
    )
    return Shelf(details, tuple(texts))


def flat(entry: Mapping[str, Any]) -> dict[str, str]:
    """The texts and numbers of an object, as text."""
    return {
        wire.text(name): said for name, value in entry.items() if (said := wire.number_text(value))
    }


def _entries(layer: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """v1 lists them by kind, v2 names the kind in each."""
    listed = wire.mappings(wire.mapping(layer.get("task_result")).get(name))
    outputs = wire.mappings(layer.get("outputs"))
    kind, id_name = name.removesuffix("s"), _LISTS[name]
    for entry in (*listed, *(each for each in outputs if wire.text(each.get("type")) == kind)):
        if upstream_id := wire.first_identifier(entry, id_name, "id"):
            yield {**entry, id_name: upstream_id}


def _text(name: str, entry: Mapping[str, Any]) -> str:
    kind, id_name = name.removesuffix("s"), _LISTS[name]
    title = wire.text(entry.get(f"{kind}_name"))
    return f"{kind} {wire.text(entry.get(id_name))}" + (f" ({title})" if title else "")
