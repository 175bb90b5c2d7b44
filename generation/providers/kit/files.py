"""The files of a task that has succeeded, wherever a relay has put them.

A provider reads the shapes that it knows. Where those hold nothing, `files_in` searches the places
that relays use under any name: lists of results, objects and bare addresses, also packed as JSON
into a string. What is an echo of the request, a page, or a link to ask at is no file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit.signed_urls import signed_until

_MEDIA: Mapping[str, AssetType] = {
    **dict.fromkeys((".mp4", ".webm", ".mov"), AssetType.VIDEO),
    **dict.fromkeys((".mp3", ".wav", ".flac", ".m4a", ".ogg"), AssetType.AUDIO),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"), AssetType.IMAGE),
}
#: What a field or a type says of the medium.
_KINDS = (
    (re.compile(r"cover|thumb|poster|image|picture|photo", re.IGNORECASE), AssetType.IMAGE),
    (re.compile(r"video|movie|film|mp4", re.IGNORECASE), AssetType.VIDEO),
    (re.compile(r"audio|sound|music|song|mp3|wav", re.IGNORECASE), AssetType.AUDIO),
)

#: The fields of a task that hold what came of it.
_PLACES = re.compile(
    r"results?|outputs?|task_?results?|works?|files?|artifacts?|assets|creations?|generations?"
    r"|resources?|(image|video|audio|picture|media)s?(_?urls?)?|urls"
    r"|(download|file|result|output)_?urls?",
    re.IGNORECASE,
)
#: A field whose address is a file's.
_FILES = re.compile(
    r"(\w*_?)(ur[li]s?|videos?|images?|pictures?|audios?|files?|resources?|samples?|src|outputs?|results?"
    r"|resource_without_watermark|mp4|mp3|wav)",
    re.IGNORECASE,
)
_NO_FILES = re.compile(
    r"input|param|request|prompt|(?<!re)source|origin|reference|first_?frame|tail|callback|webhook|notify"
    r"|page|share|preview|progress|detail|author|user|avatar|logs?|status|cancel|stream|poll|query|response",
    re.IGNORECASE,
)
_COVER = re.compile(r"cover|thumb|poster|snapshot", re.IGNORECASE)
_CLEAN = re.compile(r"(without|no|remove[d]?|clean)_?watermark", re.IGNORECASE)
_MARKED = re.compile(r"watermark", re.IGNORECASE)

_DEEPEST = 6
#: More than any task makes.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: its field, and what is known of its medium and role from around it."""

    field: str
    medium: AssetType | None
    role: str
    depth: int = 0

    def within(self, field: str, entry: Mapping[str, Any]) -> "_Place":
        described = (entry.get(name) for name in ("type", "content_type", "mime_type", "format"))
        stated = next(filter(None, (_kind(wire.text(word)) for word in described)), None)
        return _Place(
            field,
            _kind(field) or stated or self.medium,
            _role(field) or self.role,
            self.depth + 1,
        )


def files_in(layers: Sequence[Mapping[str, Any]], medium: AssetType) -> tuple[Asset, ...]:
    """The files of a succeeded task, the ordered medium first; none where there is no result.

    `layers` are the task and what it wraps, outermost first.
    """
    for layer in reversed(layers):
        fields = [
            name for name in layer if _PLACES.fullmatch(name) and not _names_input(name, medium)
        ]
        found = (
            asset
            for name in fields
            for asset in _walk(layer[name], _Place("", None, "").within(name, wire.EMPTY), medium)
        )
        assets = arranged(islice(found, _MOST), medium)
        if any(asset.role in ("result", "watermarked") for asset in assets):
            return assets
    return ()


def arranged(assets: Iterable[Asset], medium: AssetType) -> tuple[Asset, ...]:
    """Each file once, the results of the ordered medium first.

    A result of another medium beside them has its medium as its role: a sound beside the film is
    `audio`.
    """
    by_url: dict[str, Asset] = {}
    for asset in assets:
        by_url.setdefault(asset.url, asset)
    found = list(by_url.values())
    ordered = [each for each in found if each.type is medium and each.role == "result"]
    if not ordered:
        return tuple(found)
    rest = [each for each in found if each not in ordered]
    return (*ordered, *(_beside(each) for each in rest))


def _beside(asset: Asset) -> Asset:
    """A `file` is of no medium, and may be what was ordered."""
    other = asset.role == "result" and asset.type is not AssetType.FILE
    return replace(asset, role=asset.type.value) if other else asset


def _walk(value: Any, place: _Place, medium: AssetType) -> Iterator[Asset]:
    value = wire.opened(value)
    if place.depth > _DEEPEST:
        return
    if isinstance(value, str):
        if _FILES.fullmatch(place.field) and (url := wire.address(value)):
            kind = medium_of(url) or place.medium or medium
            yield Asset(
                type=kind, url=url, role=place.role or "result", expires_at=signed_until(url)
            )
        return
    if isinstance(value, list):
        for entry in wire.sequence(value):
            yield from _walk(entry, replace(place, depth=place.depth + 1), medium)
        return
    entry = wire.mapping(value)
    has_clean = any(_CLEAN.search(name) and wire.address(entry[name]) for name in entry)
    for name in entry:
        if _NO_FILES.search(name):
            continue
        inner = place.within(name, entry)
        if has_clean and not inner.role and not _CLEAN.search(name):
            inner = replace(inner, role="watermarked")
        yield from _walk(entry[name], inner, medium)


def medium_of(url: str) -> AssetType | None:
    """The medium that a file's name tells; None where it tells none."""
    try:
        return _MEDIA.get(PurePosixPath(urlsplit(url).path).suffix.lower())
    except ValueError:
        return None


def _names_input(field: str, medium: AssetType) -> bool:
    """A task's own `image_url` beside a film is what the film began with."""
    return medium is not AssetType.IMAGE and _kind(field) is AssetType.IMAGE


def _kind(words: str) -> AssetType | None:
    return next((medium for pattern, medium in _KINDS if pattern.search(words)), None)


def _role(field: str) -> str:
    if "last_frame" in field.lower():
        return "last_frame"
    if _COVER.search(field):
        return "cover"
    return "watermarked" if _MARKED.search(field) and not _CLEAN.search(field) else ""
