"""The files of a finished task.

`imageUrl` is the 2×2 grid for tasks that make four images, and one picture for the others;
`imageUrls`, where a proxy gives it, is the four singly. Videos come in any field, so the extension
tells the medium; where a relay's address hides it, the task's own action and buttons do.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import SplitResult, urlsplit

from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit.files import files_in
from generation.providers.kit.signed_urls import signed_until
from generation.providers.midjourney.fields import mapping, positive, sequence, text
from generation.upstream.asset_urls import is_private

#: Actions whose `imageUrl` is a grid. All that windows ask for are: a region, a zoom, a remix.
GRID_ACTIONS = frozenset(
    {
        "IMAGINE",
        "BLEND",
        "BLEAND",  # so spelt in a published manual
        "VARIATION",
        "HIGH_VARIATION",
        "LOW_VARIATION",
        "REROLL",
        "ZOOM",
        "CUSTOM_ZOOM",
        "OUTPAINT",
        "PAN",
        "INPAINT",
        "MODAL",
        "PIC_READER",
        "EDIT",
        "EDITS",
        "RETEXTURE",
    }
)
VIDEO_ACTIONS = frozenset({"VIDEO", "VIDEO_EXTEND", "SWAP_VIDEO_FACE"})

#: Only grids offer to upscale one of their pictures, to pick one of their videos; only videos to go
#: on.
_UPSCALES = re.compile(r"MJ::JOB::upsample::\d")
_PICKS_VIDEO = re.compile(r"MJ::JOB::video_virtual_upscale::")
_EXTENDS = re.compile(r"MJ::JOB::animate_\w+_extend::")

_MEDIA = {
    ".png": AssetType.IMAGE,
    ".jpg": AssetType.IMAGE,
    ".jpeg": AssetType.IMAGE,
    ".webp": AssetType.IMAGE,
    ".gif": AssetType.IMAGE,
    ".mp4": AssetType.VIDEO,
    ".webm": AssetType.VIDEO,
    ".mov": AssetType.VIDEO,
}
#: Where relays serve their upstream's pictures from.
_RELAYED = "/mj/image/"


def task_assets(task: Mapping[str, Any], action: str) -> tuple[Asset, ...]:
    """Every file of the task, once each.

    A URL that begins with `/` is seen from the station's root.
    """
    found: dict[str, Asset] = {}
    for asset in _candidates(task, action):
        found.setdefault(asset.url, asset)
    return tuple(found.values()) or files_in([task], _ordered(action))


def _ordered(action: str) -> AssetType:
    return AssetType.VIDEO if action in VIDEO_ACTIONS else AssetType.IMAGE


def file_asset(value: object, role: str, medium: AssetType) -> Asset | None:
    """The file at this address, or None where it is none. `medium` is for names that tell none."""
    url = text(value)
    parts = _split(url)
    if parts is None:
        return None
    suffix = PurePosixPath(parts.path).suffix.lower()
    return Asset(
        type=_MEDIA.get(suffix, medium),
        url=_as_we_see_it(url, parts),
        role=role,
        expires_at=signed_until(url),
    )


def _candidates(task: Mapping[str, Any], action: str) -> Iterator[Asset]:
    videos = [task.get("videoUrl"), *_listed(task.get("videoUrls") or task.get("video_urls"))]
    has_videos = any(map(text, videos))
    # `url` repeats one of the others where those are set, under another host at times.
    main = text(task.get("imageUrl")) or ("" if has_videos else task.get("url"))
    medium = AssetType.VIDEO if not has_videos and _is_video(task, action) else AssetType.IMAGE
    if asset := file_asset(main, "result", medium):
        is_picture = asset.type is AssetType.IMAGE
        role = _picture_role(task, action, has_videos=has_videos) if is_picture else "result"
        yield _sized(replace(asset, role=role), task)
    for url in videos:
        if asset := file_asset(url, "result", AssetType.VIDEO):
            yield asset
    for url in _listed(task.get("imageUrls")):
        if asset := file_asset(url, "single", AssetType.IMAGE):
            yield asset


def _picture_role(task: Mapping[str, Any], action: str, *, has_videos: bool) -> str:
    if has_videos:
        return "cover"
    previews = action in VIDEO_ACTIONS  # a moving picture of all videos, one of which is picked
    return "grid" if previews or action in GRID_ACTIONS or _offers(task, _UPSCALES) else "result"


def _is_video(task: Mapping[str, Any], action: str) -> bool:
    """Whether the main file is a video, as far as anything but its name says."""
    if _offers(task, _PICKS_VIDEO):
        return False
    picked = bool(_PICKS_VIDEO.match(text(task.get("customId"))))
    return picked or action in VIDEO_ACTIONS or _offers(task, _EXTENDS)


def _offers(task: Mapping[str, Any], button: re.Pattern[str]) -> bool:
    buttons = (mapping(each) for each in sequence(task.get("buttons")))
    return any(button.match(text(each.get("customId"))) for each in buttons)


def _listed(value: object) -> list[Any]:
    """The URLs of a list of URLs, or of `{url, thumbnail}`; some pack the list into a string."""
    return [mapping(each).get("url") or each for each in sequence(wire.opened(value))]


def _sized(asset: Asset, task: Mapping[str, Any]) -> Asset:
    width, height = positive(task.get("imageWidth")), positive(task.get("imageHeight"))
    return replace(asset, width=width, height=height)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    addressed = parts.scheme in ("http", "https") and bool(parts.hostname)
    rooted = not parts.scheme and not parts.netloc and url.startswith("/")
    return parts if addressed or rooted else None


def _as_we_see_it(url: str, parts: SplitResult) -> str:
    """The URL from the station's root where only the station itself can reach its host.

    A relay that was never told its own address calls itself `localhost`. A private address was
    typed by somebody and is believed here, unless the path is the relay's own picture route; of a
    public station it is not believed later on.
    """
    host = parts.hostname or ""
    relayed = parts.path.find(_RELAYED)
    if host == "localhost" or (relayed >= 0 and is_private(host)):
        path = "/" + parts.path[max(relayed, 0) :].lstrip("/")
        return parts._replace(scheme="", netloc="", path=path, fragment="").geturl()
    return url
