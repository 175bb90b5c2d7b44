"""The video that a request works on: the parent's, one the vendor knows by an id, or one by URL."""

from typing import Any

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.providers.kling import parents


def named_video(body: dict[str, Any], parent: Parent | None) -> dict[str, Any]:
    """The body with a `video_id`, unless it names a URL. Raises `Rejected` where nothing does."""
    if "video_url" not in body:
        return {**body, "video_id": parents.video_id(body.get("video_id"), parent)}
    if parent is not None:
        raise Rejected("video_url: the parent has a video already; leave one of them out")
    return body
