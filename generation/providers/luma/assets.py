"""The files in a finished task, in every shape that is sold under Luma's name.

Asset roles: `result` for what was ordered, `watermarked` for a copy with a watermark, `cover` for
the picture that stands for a video, `last_frame` for the one it ends with. A task has a result only
where one of the first two is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit.files import arranged
from generation.providers.kit.signed_urls import signed_until
from generation.providers.luma.ids import identifier

#: In the file name of a video that bears Luma's watermark.
_WATERMARKED = "_watermarked"

_MEDIA: Mapping[str, AssetType] = {
    "video": AssetType.VIDEO,
    "image": AssetType.IMAGE,
    "audio": AssetType.AUDIO,
}


def assets_in(layers: Sequence[Mapping[str, Any]], medium: AssetType) -> tuple[Asset, ...]:
    """Every file of the task, once each and the result first; none where there is no result.

    `layers` are the task and what it wraps, outermost first. `medium` is what was ordered.
    """
    for layer in reversed(layers):
        for find in (_native, _outputs, _relayed, _kling_like, _bare):
            found = _merged(find(layer, medium))
            if any(asset.role in ("result", "watermarked") for asset in found):
                return arranged(found, medium)
    return ()


def _merged(assets: Iterator[Asset]) -> tuple[Asset, ...]:
    """Once each: the first wins, and learns from the others what it does not know."""
    found: dict[str, Asset] = {}
    for asset in assets:
        known = found.get(asset.url)
        found[asset.url] = asset if known is None else _completed(known, asset)
    return tuple(found.values())


def _completed(asset: Asset, other: Asset) -> Asset:
    return replace(
        asset,
        duration=asset.duration or other.duration,
        width=asset.width or other.width,
        height=asset.height or other.height,
        upstream_id=asset.upstream_id or other.upstream_id,
    )


def _native(layer: Mapping[str, Any], medium: AssetType) -> Iterator[Asset]:
    """Yield Dream Machine's files, `assets.video` and `assets.image`.

    A video's image is its cover; `progress_video` is a preview and no result.
    """
    assets = wire.mapping(layer.get("assets"))
    kinds = {"image": AssetType.IMAGE, "video": AssetType.VIDEO}
    urls = {kind: found for name, kind in kinds.items() if (found := _address(assets.get(name)))}
    main = medium if medium in urls else next(iter(urls), None)
    if main is not None:
        yield _asset(main, urls.pop(main))
    for kind, url in urls.items():
        yield _asset(kind, url, "cover" if kind is AssetType.IMAGE else "result")


def _outputs(layer: Mapping[str, Any], medium: AssetType) -> Iterator[Asset]:
    """The Agents API: a list of `{type, url}`. Types that are no medium are files."""
    for entry in wire.mappings(layer.get("output")):
        kind = wire.text(entry.get("type")).lower()
        if url := wire.address(entry.get("url")):
            yield _asset(_MEDIA.get(kind, AssetType.FILE) if kind else medium, url)


def _relayed(layer: Mapping[str, Any], medium: AssetType) -> Iterator[Asset]:
    """The site's own task, as relays pass it on; a relay of another kind puts it into `output`.

    The clean video is the first there is of `download_url` and `video_raw`. The plain `url` beside
    a clean one has a watermark; alone it may be either, and its name tells.
    """
    del medium
    places = (layer, wire.mapping(layer.get("artifact")), wire.mapping(layer.get("output")))
    films = [_File.of(place.get("video")) for place in places]
    raw = [_File.of(place.get("video_raw")) for place in places]
    clean = [film.at(film.download_url) for film in films] + [film.at(film.url) for film in raw]
    clean_url = next((asset.url for asset in clean if asset.url), "")
    yield from (asset for asset in clean if asset.url and asset.url == clean_url)
    for asset in (film.at(film.url) for film in films):
        marked = asset.url != clean_url if clean_url else _WATERMARKED in asset.url
        if asset.url:
            yield replace(asset, role="watermarked") if marked else asset
    for name, role in (("thumbnail", "cover"), ("last_frame", "last_frame")):
        for picture in (_File.of(place.get(name)) for place in places):
            if picture.url:
                yield replace(picture.at(picture.url), type=AssetType.IMAGE, role=role)


def _kling_like(layer: Mapping[str, Any], medium: AssetType) -> Iterator[Asset]:
    """Kling's `task_result`, which some relays give their Luma tasks."""
    del medium
    result = wire.mapping(layer.get("task_result"))
    for name, kind in (("videos", AssetType.VIDEO), ("images", AssetType.IMAGE)):
        for entry in wire.mappings(result.get(name)):
            file = _File.of(entry)
            if file.url:
                yield replace(file.at(file.url), type=kind)


def _bare(layer: Mapping[str, Any], medium: AssetType) -> Iterator[Asset]:
    """One URL in the task itself.

    `fail_reason` is one of the places: relays of the new-api family once stored the URL of a
    success there.
    """
    names = ("video_url", "result_url", "url")
    url = wire.first_address(layer, *names) or wire.url(layer.get("fail_reason"))
    if url:
        upstream_id = identifier(layer.get("video_id")) or None
        yield replace(_asset(medium, url), upstream_id=upstream_id)
    if url and (cover := wire.address(layer.get("thumbnail_url"))):
        yield _asset(AssetType.IMAGE, cover, "cover")


@dataclass(frozen=True, slots=True)
class _File:
    """A file as relays describe it: an object with a URL and perhaps its size, or the bare URL."""

    url: str
    download_url: str
    about: Mapping[str, Any]

    @classmethod
    def of(cls, value: Any) -> "_File":
        about = wire.mapping(value)
        return cls(_address(value), wire.address(about.get("download_url")), about)

    def at(self, url: str) -> Asset:
        """The file at this one of its URLs, which may be empty."""
        return replace(
            _asset(AssetType.VIDEO, url),
            duration=wire.positive(self.about.get("duration")),
            width=wire.pixels(self.about.get("width")),
            height=wire.pixels(self.about.get("height")),
        )


def _address(value: Any) -> str:
    return wire.address(value) or wire.address(wire.mapping(value).get("url"))


def _asset(kind: AssetType, url: str, role: str = "result") -> Asset:
    return Asset(type=kind, url=url, role=role, expires_at=signed_until(url))
