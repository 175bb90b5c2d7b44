"""The files of a finished Kling task: `task_result` (v1), `outputs` (v2), a relay's URL."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit.files import arranged
from generation.providers.kit.signed_urls import signed_until
from generation.providers.kling.expiry import deleted_at
from generation.providers.kling.library import flat


@dataclass(frozen=True, slots=True)
class _File:
    """One URL field of an entry, with what the entry says about that file."""

    url: str
    role: str = "result"
    duration: str = "duration"


_SOUND = (
    _File("url"),
    _File("url_mp3", duration="duration_mp3"),
    _File("url_wav", "lossless", "duration_wav"),
    _File("mp3_url"),
    _File("wav_url", "lossless"),
)
_VIDEO = (_File("url"), _File("watermark_url", "watermarked"))
#: Views of one thing from several sides come as one entry.
_PICTURE = (*_VIDEO, *(_File(f"url_{number}") for number in (1, 2, 3)))

_FILES: Mapping[AssetType, Sequence[_File]] = {
    AssetType.VIDEO: _VIDEO,
    AssetType.IMAGE: _PICTURE,
    AssetType.AUDIO: _SOUND,
}

#: v1: the lists in `task_result`.
_LISTS: Mapping[str, AssetType] = {
    "videos": AssetType.VIDEO,
    "images": AssetType.IMAGE,
    "series_images": AssetType.IMAGE,
    "audios": AssetType.AUDIO,
}
#: v2: the `type` of an entry in `outputs`.
_TYPES: Mapping[str, AssetType] = {
    "video": AssetType.VIDEO,
    "image": AssetType.IMAGE,
    "audio": AssetType.AUDIO,
}

#: What the vendor says it charged, in v1 and in v2.
_BILLING = ("final_unit_deduction", "final_balance_deduction", "billing")


def assets_in(layers: Sequence[Mapping[str, Any]], medium: AssetType) -> tuple[Asset, ...]:
    """The files of a succeeded task, none twice, the ordered medium first.

    `layers` is the task and what it wraps, outermost first: the innermost list is the vendor's own
    and knows ids and durations. `medium` is the type of a file that comes as a bare URL.
    """
    if listed := listed_in(layers, medium):
        return listed
    bare = (asset for layer in layers for asset in _bare(layer, medium))
    return tuple(itertools.islice(bare, 1))


def listed_in(layers: Sequence[Mapping[str, Any]], medium: AssetType) -> tuple[Asset, ...]:
    """Of those, the files that stand in the lists of the vendor's own forms."""
    for layer in reversed(layers):
        by_url: dict[str, Asset] = {}
        for asset in (*_listed(layer), *arranged(_outputs(layer), medium)):
            by_url.setdefault(asset.url, asset)
        if by_url:
            return tuple(by_url.values())
    return ()


def facts_in(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What else follow-ups and accounts may want to know, under the vendor's names."""
    facts = billing_in(layers)
    for layer in reversed(layers):
        parent = wire.mapping(wire.mapping(layer.get("task_info")).get("parent_video"))
        if parent_id := wire.identifier(parent.get("id")):
            facts.setdefault("parent_video_id", parent_id)
        for video in wire.mappings(wire.mapping(layer.get("task_result")).get("videos")):
            if session_id := wire.identifier(video.get("session_id")):
                facts.setdefault("session_id", session_id)
    return facts


def billing_in(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was charged, under the vendor's names and with its numbers as text."""
    for layer in reversed(layers):
        said = {name: _plain(layer.get(name)) for name in _BILLING}
        if known := {name: value for name, value in said.items() if value}:
            return known
    return {}


def _plain(value: Any) -> Any:
    """Text, a flat object of texts, or a list of those: nothing that a store could choke on."""
    if isinstance(value, list):
        return [flat(entry) for entry in wire.mappings(value)]
    return flat(wire.mapping(value)) or wire.number_text(value)


def _listed(layer: Mapping[str, Any]) -> Iterator[Asset]:
    result, ends = wire.mapping(layer.get("task_result")), deleted_at(layer)
    for name, medium in _LISTS.items():
        for entry in wire.mappings(result.get(name)):
            yield from files_of(entry, medium, ends)
    for entry in wire.mappings(result.get("voices")):
        yield from voice_samples(entry)


def _outputs(layer: Mapping[str, Any]) -> Iterator[Asset]:
    ends = deleted_at(layer)
    for entry in wire.mappings(layer.get("outputs")):
        kind = wire.text(entry.get("type"))
        if medium := _TYPES.get(kind):
            yield from files_of(entry, medium, ends)
        elif kind == "voice":
            yield from voice_samples(entry)


def files_of(
    entry: Mapping[str, Any], medium: AssetType, ends: datetime | None = None
) -> Iterator[Asset]:
    """The files of one entry; `ends` is when the vendor deletes them."""
    for file in _FILES[medium]:
        if url := wire.address(entry.get(file.url)):
            yield Asset(
                type=medium,
                url=url,
                role=file.role,
                upstream_id=wire.text(entry.get("id")) or None,
                duration=wire.positive(entry.get(file.duration)),
                expires_at=signed_until(url) or ends,
            )


def voice_samples(entry: Mapping[str, Any]) -> Iterator[Asset]:
    """How a voice sounds. The sample lives as long as the voice."""
    if url := wire.address(entry.get("trial_url")):
        yield Asset(
            type=AssetType.AUDIO,
            url=url,
            role="voice",
            upstream_id=wire.first_identifier(entry, "voice_id", "id") or None,
            expires_at=signed_until(url),
            title=wire.text(entry.get("voice_name")) or None,
        )


def _bare(layer: Mapping[str, Any], medium: AssetType) -> Iterator[Asset]:
    """URLs that stand in the task itself.

    `fail_reason` is one of them: stations once stored the URL of a success there, as they still
    echo the reason of a failure in `result_url`.
    """
    metadata = wire.mapping(layer.get("metadata"))
    names = ("result_url", "url", "artifact_url")
    places = [*map(layer.get, names), metadata.get("url")]
    for url in filter(None, (*map(wire.address, places), wire.url(layer.get("fail_reason")))):
        yield Asset(
            type=medium,
            url=url,
            duration=wire.positive(layer.get("seconds")),
            expires_at=signed_until(url),
        )
