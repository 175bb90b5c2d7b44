"""Faces that speak: lip-sync in its two generations, and avatars."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.request import LARGEST_INTEGER, Part, Problem
from generation.providers.kling import parents
from generation.providers.kling.requests.fields import (
    AtLeast,
    KlingRequest,
    Name,
    Prompt,
    WatermarkInfo,
    at_most_one,
    exactly_one,
    under,
)
from generation.providers.kling.requests.media import Picture, Sound, Url
from generation.providers.kling.requests.sources import named_video

VoiceLanguage = Literal["zh", "en"]
VoiceSpeed = Annotated[float, Field(ge=0.8, le=2)]
Volume = Annotated[float, Field(ge=0, le=2)]
#: Milliseconds.
Moment = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]

#: A shorter sound is refused, in milliseconds.
_SHORTEST_SOUND = 2000


#: What text2video needs, and all that says what is said.
_SPOKEN = {"text", "voice_id", "voice_language"}
_SAYS = (
    *("text", "voice_id", "voice_language", "voice_speed"),
    *("audio_type", "audio_file", "audio_url"),
)


class LipSyncInput(Part):
    """Whose lips move, and what they say: a text, or a sound of at most 5 MB."""

    mode: Literal["text2video", "audio2video"]
    video_id: Name | None = None
    video_url: Url | None = None
    text: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    voice_id: Name | None = None
    voice_language: VoiceLanguage | None = None
    voice_speed: VoiceSpeed | None = None
    audio_type: Literal["file", "url"] | None = None
    audio_file: Sound | None = None
    audio_url: Url | None = None

    def problems(self) -> Iterator[Problem]:
        """What its mode needs, and what only the other mode takes."""
        yield from at_most_one(self, "video_id", "video_url")
        spoken = self.mode == "text2video"
        needed = _SPOKEN if spoken else {"audio_type", f"audio_{self.audio_type or 'file'}"}
        taken = needed | {"voice_speed"} if spoken else needed
        for name in _SAYS:
            given = getattr(self, name) is not None
            if name in needed and not given:
                yield (name,), f"mode {self.mode} needs it"
            if given and name not in taken:
                yield (name,), f"mode {self.mode} takes none"


class LipSync(KlingRequest):
    """A video whose character says a text or a sound. It has one face, and 2 to 10 seconds."""

    input: LipSyncInput
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        yield from under("input", self.input.problems())

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        body = super().wire(parent)
        return {**body, "input": named_video(body["input"], parent)}


class IdentifyFace(KlingRequest):
    """The faces in a video, for advanced lip-sync."""

    video_id: Name | None = None
    video_url: Url | None = None

    def problems(self) -> Iterator[Problem]:
        yield from at_most_one(self, "video_id", "video_url")

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return named_video(super().wire(parent), parent)


class FaceChoice(Part):
    """One face, and what it says when. Times are milliseconds."""

    face_id: Name | None = None
    audio_id: Name | None = None
    sound_file: Sound | None = None
    sound_start_time: Moment
    sound_end_time: Moment
    sound_insert_time: Moment
    sound_volume: Volume = 1
    original_audio_volume: Volume = 1

    def problems(self) -> Iterator[Problem]:
        """One sound, and enough of it."""
        yield from exactly_one(self, "audio_id", "sound_file")
        if self.sound_end_time - self.sound_start_time < _SHORTEST_SOUND:
            yield ("sound_end_time",), "the sound must last at least 2000 milliseconds"


class AdvancedLipSync(KlingRequest):
    """A video in which one of the faces found says a sound."""

    session_id: Name | None = None
    face_choose: Annotated[tuple[FaceChoice, ...], Field(max_length=1), AtLeast(1)]
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        yield from under(("face_choose", 0), self.face_choose[0].problems())

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        """Where the parent found one face only, that face speaks."""
        body = super().wire(parent)
        found = parents.face_ids(parent)
        [choice] = body["face_choose"]
        if "face_id" not in choice:
            if len(found) != 1:
                known = f"; the parent found {', '.join(found)}" if found else ""
                raise Rejected(f"face_choose.0.face_id: say which face is to speak{known}")
            choice = {"face_id": found[0], **choice}
        elif found and choice["face_id"] not in found:
            raise Rejected(f"face_choose.0.face_id: the parent found {', '.join(found)}")
        session = parents.session_id(self.session_id, parent)
        return {**body, "session_id": session, "face_choose": [choice]}


class Avatar(KlingRequest):
    """A video of the person on a picture, saying a sound of 2 to 300 seconds."""

    image: Picture
    audio_id: Name | None = None
    sound_file: Sound | None = None
    prompt: Prompt | None = None
    mode: str = "std"
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        yield from at_most_one(self, "audio_id", "sound_file")

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        body = super().wire(parent)
        if self.sound_file is not None and parent is None:
            return body
        if self.sound_file is not None:
            raise Rejected("sound_file: the parent has a sound already; leave one of them out")
        return {**body, "audio_id": parents.audio_id(self.audio_id, parent)}
