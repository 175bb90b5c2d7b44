"""Luma's Dream Machine API (v1), at the vendor or passed on unchanged by a relay.

Its list of generations is no batch query: its order is not documented, and a list that never shows
the tasks that run would cost one large answer on top of every single look. It is good for a search:
each generation shows its request, and with it the address to call back.
"""

from datetime import timedelta

from generation.contract.status import AssetType
from generation.providers.luma.dream_machine_edits import (
    DreamAudio,
    DreamModifyVideo,
    DreamReframeImage,
    DreamReframeVideo,
    DreamUpscale,
)
from generation.providers.luma.dream_machine_images import DreamImage
from generation.providers.luma.dream_machine_videos import (
    DreamExtend,
    DreamInterpolate,
    DreamReverseExtend,
    DreamVideo,
)
from generation.providers.luma.operation import LumaOperation, Row, Speech

SPEECH = Speech(
    dialect="luma.dream_machine",
    floor=timedelta(seconds=3),
    deadline=timedelta(minutes=15),
    callback_field="callback_url",
    list_path="/generations",
)

#: The generation in the vendor's own examples.
SAMPLE_GENERATION = "123e4567-e89b-12d3-a456-426614174000"

VIDEOS = frozenset(
    {
        *("video", "extend", "reverse_extend", "interpolate"),
        *("reframe_video", "modify_video", "upscale", "audio"),
    }
)
IMAGES = frozenset({"image", "reframe_image"})

ROWS = (
    Row(
        name="video",
        summary="A video from a prompt, and from pictures to begin and to end with.",
        request=DreamVideo,
        example={
            "prompt": "A paper boat sails down a rainy street, close to the water",
            "model": "ray-2",
            "aspect_ratio": "16:9",
            "duration": "5s",
            "resolution": "720p",
        },
        medium=AssetType.VIDEO,
        typical_seconds=105,
    ),
    Row(
        name="extend",
        summary="A video that goes on where an earlier one ended.",
        request=DreamExtend,
        example={
            "prompt": "The boat reaches the sea",
            "model": "ray-2",
            "generation_id": SAMPLE_GENERATION,
        },
        medium=AssetType.VIDEO,
        typical_seconds=105,
        follows=VIDEOS,
    ),
    Row(
        name="reverse_extend",
        summary="A video that leads up to the beginning of an earlier one.",
        request=DreamReverseExtend,
        example={
            "prompt": "A child folds the boat from a newspaper",
            "model": "ray-2",
            "generation_id": SAMPLE_GENERATION,
        },
        medium=AssetType.VIDEO,
        typical_seconds=105,
        follows=VIDEOS,
    ),
    Row(
        name="interpolate",
        summary="A video between two earlier ones, or between one and a picture.",
        request=DreamInterpolate,
        example={
            "prompt": "The boat passes under a bridge",
            "model": "ray-2",
            "start_generation_id": SAMPLE_GENERATION,
            "image_end_url": "https://example.com/bridge.jpg",
        },
        medium=AssetType.VIDEO,
        typical_seconds=105,
        follows=VIDEOS,
    ),
    Row(
        name="image",
        summary="A picture by Photon, with pictures to go by if there are any.",
        request=DreamImage,
        example={
            "prompt": "A lighthouse at dusk, oil on canvas",
            "model": "photon-1",
            "aspect_ratio": "16:9",
        },
        medium=AssetType.IMAGE,
        typical_seconds=20,
    ),
    Row(
        name="reframe_image",
        summary="A picture in another frame, with what was outside of it made up.",
        request=DreamReframeImage,
        example={
            "image_url": "https://example.com/lighthouse.jpg",
            "model": "photon-1",
            "aspect_ratio": "9:16",
        },
        medium=AssetType.IMAGE,
        typical_seconds=20,
        follows=IMAGES,
    ),
    Row(
        name="reframe_video",
        summary="A video in another frame, with what was outside of it made up.",
        request=DreamReframeVideo,
        example={
            "video_url": "https://example.com/boat.mp4",
            "model": "ray-2",
            "aspect_ratio": "9:16",
        },
        medium=AssetType.VIDEO,
        typical_seconds=105,
        follows=VIDEOS,
    ),
    Row(
        name="modify_video",
        summary="A video made anew from an earlier one, more or less faithfully.",
        request=DreamModifyVideo,
        example={
            "video_url": "https://example.com/boat.mp4",
            "model": "ray-2",
            "mode": "flex_2",
            "prompt": "The same street in winter",
        },
        medium=AssetType.VIDEO,
        typical_seconds=105,
        follows=VIDEOS,
    ),
    Row(
        name="upscale",
        summary="An earlier video with more pixels.",
        request=DreamUpscale,
        example={"generation_id": SAMPLE_GENERATION, "resolution": "1080p"},
        medium=AssetType.VIDEO,
        typical_seconds=105,
        follows=VIDEOS,
    ),
    Row(
        name="audio",
        summary="An earlier video with sound.",
        request=DreamAudio,
        example={"generation_id": SAMPLE_GENERATION, "prompt": "Rain on cobblestones"},
        medium=AssetType.VIDEO,
        typical_seconds=60,
        follows=VIDEOS,
    ),
)

OPERATIONS = tuple(LumaOperation(SPEECH, row) for row in ROWS)
