"""Midjourney's commands, one row each: where they go, what they make, how long it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from generation.contract.request import Request
from generation.polling.pace import UsualDurations
from generation.providers.midjourney.followups import (
    ActionRequest,
    ChangeRequest,
    ModalRequest,
    SeedRequest,
    WindowInput,
)
from generation.providers.midjourney.request import MidjourneyRequest
from generation.providers.midjourney.submits import (
    BlendRequest,
    DescribeRequest,
    EditRequest,
    ImagineRequest,
    RelayedSwapFaceRequest,
    ShortenRequest,
    SwapFaceRequest,
    UploadRequest,
)
from generation.providers.midjourney.video import VideoRequest

R = TypeVar("R", bound=MidjourneyRequest)

#: Every command whose tasks show buttons.
BUTTONED = frozenset(
    {
        "imagine",
        "blend",
        "describe",
        "shorten",
        "action",
        "change",
        "modal",
        "edits",
        "retexture",
        "video",
    }
)
GRIDS = frozenset({"imagine", "blend", "action", "change", "modal", "edits", "retexture"})


def usually(early: int, typical: int, late: int) -> UsualDurations:
    """Seconds until one task in ten, half of them, and nine in ten are done."""
    return UsualDurations(
        early=timedelta(seconds=early),
        typical=timedelta(seconds=typical),
        late=timedelta(seconds=late),
    )


#: Fast tasks end within minutes; relaxed ones may wait most of an hour for their turn.
PICTURE = usually(27, 40, 240), timedelta(hours=1)
#: An upscaled picture takes seconds, a variation as long as any picture.
FOLLOW_UP = usually(8, 30, 240), timedelta(hours=1)
TEXT = usually(8, 12, 60), timedelta(minutes=15)
VIDEO = usually(60, 90, 300), timedelta(minutes=40)
#: A swap may run for ten minutes, behind ten others of which three run at a time.
SWAP = usually(10, 20, 120), timedelta(minutes=40)
AT_ONCE = usually(1, 5, 60), timedelta(minutes=10)

#: A grey square and a white one of 64 pixels, for examples.
GREY = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAKUlEQVR42u3MQREAAAwCIKMb3RD77SAA6VEEAoFA"
    "IBAIBAKBQCAQfA8G320AeXC6efoAAAAASUVORK5CYII="
)
WHITE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAKUlEQVR42u3MQREAAAwCIPuX1hD77SAA6VEEAoFA"
    "IBAIBAKBQCAQfA8Gpwvw4qrwDDIAAAAASUVORK5CYII="
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[R]):
    """One submit of the protocol; the tasks it makes are all read alike."""

    name: str
    summary: str
    path: str
    request: type[R]
    #: What its tasks do, where a task does not say.
    action: str
    #: How long its tasks take, and when to give one up.
    pace: tuple[UsualDurations, timedelta] = PICTURE
    example: Mapping[str, Any]
    follows: frozenset[str] = frozenset()
    #: What a caller may tell a task that waits; None where none does.
    input_request: type[Request] | None = None
    #: Whether it makes a task of its own, which carries our job id.
    makes_task: bool = True
    #: Answered with the result itself, within this time.
    answers_within: timedelta | None = None


IMAGINE = Command(
    name="imagine",
    summary="Draw a grid of four images from a prompt, with pictures to go by if there are any.",
    path="/mj/submit/imagine",
    request=ImagineRequest,
    action="IMAGINE",
    example={"prompt": "a lighthouse at dusk, oil on canvas --ar 16:9 --v 7"},
)
BLEND = Command(
    name="blend",
    summary="Mix two to five pictures into a grid of four.",
    path="/mj/submit/blend",
    request=BlendRequest,
    action="BLEND",
    example={"images": [GREY, WHITE], "dimensions": "SQUARE"},
)
DESCRIBE = Command(
    name="describe",
    summary="Four prompts that might have made a picture.",
    path="/mj/submit/describe",
    request=DescribeRequest,
    action="DESCRIBE",
    pace=TEXT,
    example={"image": GREY},
)
SHORTEN = Command(
    name="shorten",
    summary="Shorter prompts for a long one.",
    path="/mj/submit/shorten",
    request=ShortenRequest,
    action="SHORTEN",
    pace=TEXT,
    example={"prompt": "a very, very red kite that somebody lets fly over a hill in autumn"},
)
ACTION = Command(
    name="action",
    summary="Press a button of a finished task: upscale, vary, zoom, pan, animate and so on.",
    path="/mj/submit/action",
    request=ActionRequest,
    action="ACTION",
    pace=FOLLOW_UP,
    example={
        "upstream_id": "1763000000000417",
        "custom_id": "MJ::JOB::upsample::1::3dbbd469-36af-4a0f-8f02-df6c579e7011",
    },
    follows=BUTTONED,
    input_request=WindowInput,
)
CHANGE = Command(
    name="change",
    summary="Upscale or vary one picture of a grid, or make the grid again, without buttons.",
    path="/mj/submit/change",
    request=ChangeRequest,
    action="CHANGE",
    pace=FOLLOW_UP,
    example={"upstream_id": "1763000000000417", "action": "UPSCALE", "index": 1},
    follows=GRIDS,
    input_request=WindowInput,
)
MODAL = Command(
    name="modal",
    summary="Tell a task what it waits for, where it was not made by genq.",
    path="/mj/submit/modal",
    request=ModalRequest,
    action="MODAL",
    example={"upstream_id": "1763000000000417", "prompt": "a lighthouse at dusk --zoom 1.5"},
    input_request=WindowInput,
    # The task was there before, under another's id: that none carries ours proves nothing.
    makes_task=False,
)
EDITS = Command(
    name="edits",
    summary="Change a picture from anywhere after a prompt.",
    path="/mj/submit/edits",
    request=EditRequest,
    action="EDITS",
    example={"prompt": "the same in winter", "image": GREY},
)
RETEXTURE = Command(
    name="retexture",
    summary="Keep a picture's shapes and give it other surfaces.",
    path="/mj/submit/retexture",
    request=EditRequest,
    action="RETEXTURE",
    example={"prompt": "made of moss and stone", "image": GREY},
)
VIDEO_COMMAND = Command(
    name="video",
    summary="Videos from a first frame, or a finished video that goes on.",
    path="/mj/submit/video",
    request=VideoRequest,
    action="VIDEO",
    pace=VIDEO,
    example={"prompt": "slow pan to the left", "image": GREY, "motion": "low", "batch_size": 1},
    follows=frozenset({"video", "action"}),
)
UPLOAD = Command(
    name="upload",
    summary="Upload pictures, and get addresses that prompts may name.",
    path="/mj/submit/upload-discord-images",
    request=UploadRequest,
    action="UPLOAD",
    pace=AT_ONCE,
    example={"images": [GREY]},
    makes_task=False,
    answers_within=timedelta(minutes=2),
)
SEED = Command(
    name="seed",
    summary="The seed of a finished task, as a text.",
    path="/mj/task/{id}/image-seed",
    request=SeedRequest,
    action="SEED",
    pace=AT_ONCE,
    example={"upstream_id": "1763000000000417"},
    follows=GRIDS | {"video"},
    makes_task=False,
    # A proxy asks Midjourney itself, and gives up after a minute.
    answers_within=timedelta(seconds=75),
)
SWAP_FACE = Command(
    name="swap_face",
    summary="Put a face from one picture into another.",
    path="/mj/insight-face/swap",
    request=SwapFaceRequest,
    action="SWAP_FACE",
    pace=SWAP,
    example={"face": GREY, "target": WHITE},
)
RELAYED_SWAP_FACE = Command(
    name=SWAP_FACE.name,
    summary=SWAP_FACE.summary,
    path=SWAP_FACE.path,
    request=RelayedSwapFaceRequest,
    action=SWAP_FACE.action,
    pace=SWAP,
    example=SWAP_FACE.example,
)
