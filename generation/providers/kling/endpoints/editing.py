"""Videos that are carried on, dressed up or changed."""

from collections.abc import Mapping
from typing import Any

from generation.providers.kling.answers import selection
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.endpoints.examples import (
    OTHER_PICTURE,
    PICTURE,
    SESSION_ID,
    VIDEO,
    VIDEO_ID,
)
from generation.providers.kling.endpoints.video import VIDEO_MAKERS
from generation.providers.kling.requests.editing import (
    Effects,
    InitSelection,
    MarkSelection,
    MultiElements,
    SessionRequest,
    VideoExtend,
)

_SESSIONS = frozenset(
    {"init_selection"}
    | {"add_selection", "delete_selection", "clear_selection", "preview_selection"}
)
_PLACE = {"session_id": SESSION_ID, "frame_index": 0, "points": [{"x": 0.5, "y": 0.4}]}


def _call(
    name: str, summary: str, request: type[SessionRequest], example: Mapping[str, Any]
) -> Endpoint:
    """A call in a session, answered at once."""
    return Endpoint(
        name=name,
        summary=summary,
        path=f"/v1/videos/multi-elements/{name.replace('_', '-')}",
        request=request,
        example=example,
        typical_seconds=5,
        follows=_SESSIONS,
        makes_task=False,
        reader=selection,
    )


ENDPOINTS = (
    Endpoint(
        name="video_extend",
        summary="A video of the first models, four or five seconds longer.",
        path="/v1/videos/video-extend",
        request=VideoExtend,
        example={"video_id": VIDEO_ID, "prompt": "The boat drifts out of sight"},
        typical_seconds=320,
        follows=frozenset({"text2video", "image2video", "video_extend"}),
        relayed=True,
    ),
    Endpoint(
        name="effects",
        summary="A ready-made effect on one picture, or between two people.",
        path="/v1/videos/effects",
        request=Effects,
        example={"effect_scene": "hug_pro", "input": {"images": [PICTURE, OTHER_PICTURE]}},
        typical_seconds=320,
        relayed=True,
    ),
    Endpoint(
        name="init_selection",
        summary="A session to change a video in; answered at once.",
        path="/v1/videos/multi-elements/init-selection",
        request=InitSelection,
        example={"video_url": VIDEO},
        typical_seconds=10,
        follows=VIDEO_MAKERS,
        makes_task=False,
        reader=selection,
    ),
    _call("add_selection", "Selects what stands at some places of a frame.", MarkSelection, _PLACE),
    _call("delete_selection", "Takes such places out again.", MarkSelection, _PLACE),
    _call("clear_selection", "Selects nothing.", SessionRequest, {"session_id": SESSION_ID}),
    _call(
        "preview_selection",
        "The session's video with what is selected marked.",
        SessionRequest,
        {"session_id": SESSION_ID},
    ),
    Endpoint(
        name="multi_elements",
        summary="The session's video with something added, swapped or removed.",
        path="/v1/videos/multi-elements",
        request=MultiElements,
        example={
            "session_id": SESSION_ID,
            "edit_mode": "swap",
            "image_list": [{"image": OTHER_PICTURE}],
            "prompt": "swap the lamp from <<<image_1>>> for the candle from <<<video_1>>>",
            "mode": "std",
            "duration": "5",
        },
        typical_seconds=320,
        follows=_SESSIONS,
    ),
)
