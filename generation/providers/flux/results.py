"""The files of a finished Flux task.

They are the vendor's `result.sample`, fal's `images` and `video`, Replicate's `output`, OpenAI's
`data`, or a URL in a station's own envelope. Asset roles: `result`, and `draft_cache` for the file
from which a draft is refined.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit.files import arranged, files_in
from generation.providers.kit.picture_files import type_of
from generation.providers.kit.signed_urls import signed_until

#: The vendor's own stores, whose URLs die ten minutes after the task is ready, wherever they are
#: passed on.
_VENDOR_STORES = (".bfl.ai", ".bfl.ml", "bfldelivery")
VENDOR_LIFE = timedelta(minutes=10)

#: Facts about a finished task, in the words of whoever states them first.
_FACTS = ("seed", "prompt", "cost", "input_mp", "output_mp", "draft_cache", "revised_prompt")
_LONGEST_FACT = 4000


def assets_in(
    layers: Sequence[Mapping[str, Any]], medium: AssetType, life: timedelta | None
) -> tuple[Asset, ...]:
    """The files of a succeeded task, none twice.

    `layers` is the answer and what it wraps, outermost first; `medium` is the type of a file that
    comes as a bare URL, and `life` how long files live after the task's end where their URLs do not
    say.
    """
    for layer in reversed(layers):
        if found := arranged(_found(layer, medium, life), medium):
            return (*found, *_draft_cache(layer, life))
    return files_in([each for each in layers if not is_blackened(each)], medium)


def facts_in(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Seed, prompt, cost and so on, and the seconds of computing, where the answer states them."""
    sources = [source for layer in layers for source in _sources(layer)]
    found = {name: _fact(sources, name) for name in _FACTS}
    found["seconds"] = next(
        filter(None, (wire.positive(_mapping(s, "metrics").get("predict_time")) for s in sources)),
        None,
    )
    return {name: value for name, value in found.items() if value is not None}


def is_result(layer: Mapping[str, Any]) -> bool:
    """Whether this is what a finished task brought, whatever is in it: fal's has no status word."""
    places = ("images", "image", "video", "output", "sample")
    return (
        any(layer.get(place) is not None for place in places)
        or "sample" in _mapping(layer, "result")
        or isinstance(layer.get("data"), list)
    )


def is_blackened(layer: Mapping[str, Any]) -> bool:
    """Whether fal says of every picture that its checker has blacked it out."""
    flags = wire.sequence(layer.get("has_nsfw_concepts"))
    return bool(flags) and all(flag is True for flag in flags)


def _found(layer: Mapping[str, Any], medium: AssetType, life: timedelta | None) -> Iterator[Asset]:
    result = _mapping(layer, "result")
    for url in _urls(result.get("sample")) or _urls(layer.get("sample")):
        duration = wire.positive(result.get("duration")) if medium is AssetType.VIDEO else None
        ended = result.get("end_time")
        yield Asset(type=medium, url=url, duration=duration, expires_at=_expiry(url, life, ended))
    yield from _listed(layer, life)
    for url in _urls(layer.get("output")):
        yield Asset(type=medium, url=url, expires_at=_expiry(url, life, layer.get("completed_at")))
    yield from _openai(layer)
    for url in _urls(_mapping(layer, "info").get("resultImageUrl")):
        yield Asset(type=medium, url=url, expires_at=_expiry(url, life, None))


def _draft_cache(layer: Mapping[str, Any], life: timedelta | None) -> Iterator[Asset]:
    result = _mapping(layer, "result")
    for url in _urls(result.get("draft_cache")) or _urls(layer.get("draft_cache")):
        ends = _expiry(url, life, result.get("end_time"))
        yield Asset(type=AssetType.FILE, url=url, role="draft_cache", expires_at=ends)


def _listed(layer: Mapping[str, Any], life: timedelta | None) -> Iterator[Asset]:
    """The files of fal, without the pictures that were blacked out."""
    flags = wire.sequence(layer.get("has_nsfw_concepts"))
    images = wire.sequence(layer.get("images")) or wire.sequence(layer.get("image"))
    for at, entry in enumerate(images):
        if not (at < len(flags) and flags[at] is True):
            yield from _file(entry, AssetType.IMAGE, life)
    for entry in wire.sequence(layer.get("video")):
        yield from _file(entry, AssetType.VIDEO, life)


def _file(entry: Any, medium: AssetType, life: timedelta | None) -> Iterator[Asset]:
    described = wire.mapping(entry)
    if url := wire.address(described.get("url")) or wire.address(entry):
        yield Asset(
            type=medium,
            url=url,
            duration=wire.positive(described.get("duration")),
            width=wire.pixels(described.get("width")),
            height=wire.pixels(described.get("height")),
            expires_at=_expiry(url, life, None),
        )


def _openai(layer: Mapping[str, Any]) -> Iterator[Asset]:
    """Pictures by URL; one that comes as base64 becomes a data URI."""
    for entry in map(wire.mapping, wire.sequence(layer.get("data"))):
        if url := wire.address(entry.get("url")):
            yield Asset(type=AssetType.IMAGE, url=url, expires_at=_expiry(url, None, None))
        elif url := _data_uri(entry.get("b64_json")):
            yield Asset(type=AssetType.IMAGE, url=url)


def _data_uri(content: Any) -> str:
    if not isinstance(content, str) or not content:
        return ""
    try:
        head = base64.b64decode(content[:16], validate=True)
    except ValueError:
        return ""
    return f"data:image/{type_of(head) or 'png'};base64,{content}" if content.isascii() else ""


def _urls(value: Any) -> list[str]:
    return [found for each in wire.sequence(value) if (found := wire.address(each))]


def _expiry(url: str, life: timedelta | None, ended: Any) -> datetime | None:
    """When the URL stops working: what it says itself, or so long after the task's end."""
    if stated := signed_until(url):
        return stated
    vendors = any(store in (urlsplit(url).hostname or "") for store in _VENDOR_STORES)
    known = VENDOR_LIFE if vendors else life
    return _moment(ended, known) if known else None


def _sources(layer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield _mapping(layer, "result")
    yield layer
    yield from map(wire.mapping, wire.sequence(layer.get("data"))[:1])


def _fact(sources: Sequence[Mapping[str, Any]], name: str) -> Any:
    values = (source.get(name) for source in sources)
    said = (wire.number(v) if not isinstance(v, str) else v[:_LONGEST_FACT] for v in values)
    return next((each for each in said if each not in (None, "")), None)


def _mapping(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return wire.mapping(source.get(name))


def _moment(value: Any, later: timedelta) -> datetime | None:
    """A point in time, and so much later: seconds since the epoch, or ISO 8601 with its zone."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) + later if found.tzinfo else None
        seconds = wire.positive(value)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC) + later
    except (ValueError, OverflowError, OSError):
        return None
