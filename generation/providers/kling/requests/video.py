"""Videos made of words, pictures and other videos."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from generation.contract.request import Part, Problem
from generation.providers.kling.requests.fields import (
    AtLeast,
    CfgScale,
    Element,
    KlingRequest,
    Name,
    NeededPrompt,
    OnOff,
    Prompt,
    Ratio,
    Seconds,
    Voice,
    WatermarkInfo,
    YesNo,
)
from generation.providers.kling.requests.media import Picture, Url
from generation.providers.kling.requests.models import (
    IMAGE2VIDEO,
    PLAIN,
    TEXT2VIDEO,
    model_problems,
    ratio_problems,
    sound_problems,
)
from generation.providers.kling.requests.motion import CameraControl, DynamicMask, camera_problems
from generation.providers.kling.requests.shots import (
    Shot,
    ShotType,
    reference_problems,
    shot_problems,
)

Shots = Annotated[tuple[Shot, ...], Field(max_length=6)]
Voices = Annotated[tuple[Voice, ...], Field(max_length=2)]


class Text2Video(KlingRequest):
    """A video from words."""

    model_name: Name = "kling-v1"
    prompt: Prompt | None = None
    negative_prompt: Prompt | None = None
    cfg_scale: CfgScale | None = None
    mode: str = "std"
    sound: OnOff | None = None
    aspect_ratio: Ratio = "16:9"
    duration: Seconds = "5"
    camera_control: CameraControl | None = None
    multi_shot: bool | None = None
    shot_type: ShotType | None = None
    multi_prompt: Shots | None = None
    voice_list: Voices | None = None
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        model = TEXT2VIDEO.get(self.model_name)
        yield from model_problems(self, model)
        yield from ratio_problems(self.model_name, self.aspect_ratio, model is not None)
        yield from sound_problems(self, model)
        yield from camera_problems(self.camera_control)
        yield from shot_problems(self, prompt_needed=True)
        yield from reference_problems(
            {"prompt": self.prompt}, {"voice": len(self.voice_list or ())}
        )


class Image2Video(KlingRequest):
    """A video that begins with one picture, ends with another, or both; its shape is theirs."""

    model_name: Name = "kling-v1"
    image: Picture | None = None
    image_tail: Picture | None = None
    prompt: Prompt | None = None
    negative_prompt: Prompt | None = None
    cfg_scale: CfgScale | None = None
    mode: str = "std"
    sound: OnOff | None = None
    duration: Seconds = "5"
    static_mask: Picture | None = None
    dynamic_masks: Annotated[tuple[DynamicMask, ...], Field(max_length=6), AtLeast(1)] | None = None
    camera_control: CameraControl | None = None
    element_list: Annotated[tuple[Element, ...], Field(max_length=3)] | None = None
    voice_list: Voices | None = None
    multi_shot: bool | None = None
    shot_type: ShotType | None = None
    multi_prompt: Shots | None = None
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        model = IMAGE2VIDEO.get(self.model_name)
        if self.image is None and self.image_tail is None:
            yield ("image",), "give image, image_tail or both"
        yield from model_problems(self, model)
        yield from sound_problems(self, model)
        yield from camera_problems(self.camera_control)
        yield from self._steered_twice()
        yield from shot_problems(self, prompt_needed=False)
        yield from reference_problems(
            {"prompt": self.prompt},
            {"voice": len(self.voice_list or ()), "element": len(self.element_list or ())},
        )

    def _steered_twice(self) -> Iterator[Problem]:
        """Two ends, brushes and a camera each say how the picture moves: only one of them may."""
        ways = {
            "image_tail": self.image_tail,
            "static_mask": self.static_mask,
            "dynamic_masks": self.dynamic_masks,
            "camera_control": self.camera_control,
        }
        taken = [name for name, value in ways.items() if value is not None]
        if len(taken) > 1 and taken != ["static_mask", "dynamic_masks"]:
            yield (
                (taken[-1],),
                "image_tail, static_mask with dynamic_masks, and camera_control exclude each other",
            )


class ListedPicture(Part):
    """One picture of several."""

    image: Picture


class MultiImage2Video(KlingRequest):
    """A video in which up to four things, each on a picture of its own, appear together."""

    model_name: Name = "kling-v1-6"
    image_list: Annotated[tuple[ListedPicture, ...], Field(max_length=4), AtLeast(1)]
    prompt: NeededPrompt
    negative_prompt: Prompt | None = None
    mode: str = "std"
    duration: Seconds = "5"
    aspect_ratio: Ratio = "16:9"
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        model = PLAIN if self.model_name == "kling-v1-6" else None
        yield from model_problems(self, model)
        yield from ratio_problems(self.model_name, self.aspect_ratio, model is not None)


class OmniPicture(Part):
    """A picture to refer to, or a frame to begin or end with."""

    image_url: Picture
    type: Literal["first_frame", "end_frame"] | None = None


class OmniVideoInput(Part):
    """A video to change (`base`) or to go by (`feature`)."""

    video_url: Url
    refer_type: Literal["base", "feature"] | None = None
    keep_original_sound: YesNo | None = None


class OmniVideo(KlingRequest):
    """A video from words, pictures, elements and another video, which the prompt names."""

    model_name: Name = "kling-video-o1"
    prompt: Prompt | None = None
    image_list: tuple[OmniPicture, ...] | None = None
    element_list: tuple[Element, ...] | None = None
    video_list: Annotated[tuple[OmniVideoInput, ...], Field(max_length=1)] | None = None
    sound: OnOff | None = None
    mode: str = "pro"
    aspect_ratio: Ratio | None = None
    duration: Seconds = "5"
    multi_shot: bool | None = None
    shot_type: ShotType | None = None
    multi_prompt: Shots | None = None
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        images, elements = len(self.image_list or ()), len(self.element_list or ())
        videos = len(self.video_list or ())
        most = 4 if videos else 7
        if images + elements > most:
            beside = " beside a video" if videos else ""
            yield ("image_list",), f"image_list and element_list hold at most {most}{beside}"
        if self.model_name in ("kling-video-o1", "kling-v3-omni"):
            yield from ratio_problems(self.model_name, self.aspect_ratio, known=True)
            if not 3 <= int(self.duration) <= 15:
                yield ("duration",), f"{self.model_name} makes videos of 3 to 15 seconds"
        yield from shot_problems(self, prompt_needed=True)
        yield from reference_problems(
            {"prompt": self.prompt}, {"image": images, "element": elements, "video": videos}
        )


class MotionControl(KlingRequest):
    """A picture's character, moving as somebody in a video does."""

    model_name: Name = "kling-v2-6"
    image_url: Picture
    video_url: Url
    #: Which way the character looks: as in the picture (at most 10 s) or in the video (30 s).
    character_orientation: Literal["image", "video"]
    mode: str
    keep_original_sound: YesNo = "yes"
    prompt: Prompt | None = None
    element_list: Annotated[tuple[Element, ...], Field(max_length=1)] | None = None
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        if self.model_name in ("kling-v2-6", "kling-v3") and self.mode not in ("std", "pro"):
            yield ("mode",), f"{self.model_name} takes std or pro"
