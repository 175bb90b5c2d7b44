"""What a request takes from the finished job it follows.

The vendor does not know a task by its id once it is done, so follow-ups pass its result by URL, as
long as that is valid.
"""

from collections.abc import Iterable
from typing import Any

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.status import Asset, AssetType
from generation.providers.flux.models import PICTURES
from generation.providers.flux.pictures import Flux2, Kontext
from generation.providers.flux.request import FluxRequest
from generation.providers.flux.video import Video


def parents_of(request: type[FluxRequest], name: str) -> frozenset[str]:
    """The operations whose finished jobs an order of this kind can follow."""
    if issubclass(request, Video):
        return PICTURES | {name}
    return PICTURES if issubclass(request, Kontext | Flux2) else frozenset()


def completed(request: FluxRequest, parent: Parent | None) -> FluxRequest:
    """The request with what it takes from the job it follows; what the caller gave is kept.

    Raises `Rejected` where something is still missing.
    """
    if isinstance(request, Video):
        return _video(request, parent)
    if parent is None or not isinstance(request, Kontext | Flux2) or request.input_image:
        return request
    return request.model_copy(update={"input_image": _url(parent, AssetType.IMAGE)})


def _video(request: Video, parent: Parent | None) -> Video:
    match request.mode:
        case "draft_enhance" if request.draft_cache is None:
            cache = parent.result.details.get("draft_cache") if parent else None
            if not isinstance(cache, str):
                raise Rejected(
                    "draft_enhance needs a draft_cache, or a parent that was made with draft"
                )
            return _with(request, draft_cache=cache)
        case "v2v" if request.start_video is None:
            if parent is None:
                raise Rejected("v2v needs a start_video, or a parent that is a video")
            return _with(request, start_video=_url(parent, AssetType.VIDEO))
        case "i2v" if request.keyframes is None:
            if parent is None:
                raise Rejected("i2v needs keyframes, or a parent that is a picture")
            return _with(request, keyframes=(_url(parent, AssetType.IMAGE),))
        case _:
            return request


def _with(request: Video, **changes: Any) -> Video:
    return request.model_copy(update=changes)


def _url(parent: Parent, medium: AssetType) -> str:
    assets: Iterable[Asset] = parent.result.assets
    if url := next((asset.url for asset in assets if asset.type is medium), None):
        return url
    raise Rejected(f"the parent, a {parent.operation}, made no {medium} to go on from")
