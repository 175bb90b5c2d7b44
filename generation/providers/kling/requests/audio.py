"""Sounds: speech, effects, and what a video would sound like."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Problem
from generation.providers.kling.requests.faces import VoiceLanguage, VoiceSpeed
from generation.providers.kling.requests.fields import NOT_BLANK, KlingRequest, Name, at_most_one
from generation.providers.kling.requests.media import Url
from generation.providers.kling.requests.sources import named_video

ShortPrompt = Annotated[str, Field(max_length=200)]


class Tts(KlingRequest):
    """A text, read aloud."""

    text: Annotated[str, Field(min_length=1, max_length=1000), NOT_BLANK]
    voice_id: Name
    #: The language of the voice.
    voice_language: VoiceLanguage
    voice_speed: VoiceSpeed = 1.0


class TextToAudio(KlingRequest):
    """A sound of 3 to 10 seconds from words."""

    prompt: Annotated[str, Field(min_length=1, max_length=200), NOT_BLANK]
    duration: Annotated[float, Field(ge=3, le=10)]


class VideoToAudio(KlingRequest):
    """A video of 3 to 20 seconds with sound, and that sound alone."""

    video_id: Name | None = None
    video_url: Url | None = None
    sound_effect_prompt: ShortPrompt | None = None
    bgm_prompt: ShortPrompt | None = None
    #: Every detail can be heard.
    asmr_mode: bool | None = None

    def problems(self) -> Iterator[Problem]:
        yield from at_most_one(self, "video_id", "video_url")

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return named_video(super().wire(parent), parent)
