"""Luma's Agents API, the successor of Dream Machine: one path, with a `type` field."""

from datetime import timedelta

from generation.contract.status import AssetType
from generation.providers.luma.agents_edits import AgentsModifyVideo, AgentsReframeVideo
from generation.providers.luma.agents_images import AgentsImage, AgentsImageEdit
from generation.providers.luma.agents_videos import (
    AgentsExtend,
    AgentsInterpolate,
    AgentsReverseExtend,
    AgentsVideo,
)
from generation.providers.luma.operation import LumaOperation, Row, Speech

SPEECH = Speech(dialect="luma.agents", floor=timedelta(seconds=2), deadline=timedelta(minutes=15))

#: A generation that the sandbox knows.
SAMPLE_GENERATION = "123e4567-e89b-12d3-a456-426614174000"

VIDEOS = frozenset(
    {"video", "extend", "reverse_extend", "interpolate", "reframe_video", "modify_video"}
)
IMAGES = frozenset({"image", "image_edit"})

#: How long these models take is not documented: as long as Dream Machine's, until it is known.
_VIDEO_SECONDS = 105
_IMAGE_SECONDS = 20

ROWS = (
    Row(
        name="video",
        summary="A video from a prompt, and from pictures to begin and to end with.",
        request=AgentsVideo,
        example={
            "prompt": "A paper boat sails down a rainy street, close to the water",
            "model": "ray-3.2",
            "aspect_ratio": "16:9",
            "duration": "5s",
            "resolution": "720p",
        },
        medium=AssetType.VIDEO,
        typical_seconds=_VIDEO_SECONDS,
    ),
    Row(
        name="extend",
        summary="A video that goes on where an earlier one ended.",
        request=AgentsExtend,
        example={"prompt": "The boat reaches the sea", "generation_id": SAMPLE_GENERATION},
        medium=AssetType.VIDEO,
        typical_seconds=_VIDEO_SECONDS,
        follows=VIDEOS,
    ),
    Row(
        name="reverse_extend",
        summary="A video that leads up to the beginning of an earlier one.",
        request=AgentsReverseExtend,
        example={
            "prompt": "A child folds the boat from a newspaper",
            "generation_id": SAMPLE_GENERATION,
        },
        medium=AssetType.VIDEO,
        typical_seconds=_VIDEO_SECONDS,
        follows=VIDEOS,
    ),
    Row(
        name="interpolate",
        summary="A video between two earlier ones, or between one and a picture.",
        request=AgentsInterpolate,
        example={
            "prompt": "The boat passes under a bridge",
            "start_generation_id": SAMPLE_GENERATION,
            "image_end_url": "https://example.com/bridge.jpg",
        },
        medium=AssetType.VIDEO,
        typical_seconds=_VIDEO_SECONDS,
        follows=VIDEOS,
    ),
    Row(
        name="image",
        summary="A picture from a prompt, with pictures to go by if there are any.",
        request=AgentsImage,
        example={"prompt": "A lighthouse at dusk, oil on canvas", "aspect_ratio": "3:2"},
        medium=AssetType.IMAGE,
        typical_seconds=_IMAGE_SECONDS,
    ),
    Row(
        name="image_edit",
        summary="A picture made from another one.",
        request=AgentsImageEdit,
        example={
            "prompt": "The same lighthouse in a storm",
            "image_url": "https://example.com/lighthouse.jpg",
        },
        medium=AssetType.IMAGE,
        typical_seconds=_IMAGE_SECONDS,
        follows=IMAGES,
    ),
    Row(
        name="reframe_video",
        summary="A video in another frame, with what was outside of it made up.",
        request=AgentsReframeVideo,
        example={
            "prompt": "More of the street",
            "video_url": "https://example.com/boat.mp4",
            "aspect_ratio": "9:16",
        },
        medium=AssetType.VIDEO,
        typical_seconds=_VIDEO_SECONDS,
        follows=VIDEOS,
    ),
    Row(
        name="modify_video",
        summary="A video made anew from an earlier one, more or less faithfully.",
        request=AgentsModifyVideo,
        example={
            "prompt": "The same street in winter",
            "video_url": "https://example.com/boat.mp4",
            "mode": "flex_2",
        },
        medium=AssetType.VIDEO,
        typical_seconds=_VIDEO_SECONDS,
        follows=VIDEOS,
    ),
)

OPERATIONS = tuple(LumaOperation(SPEECH, row) for row in ROWS)
