"""What callers may ask of Suno, field for field as the protocol names it.

Which models there are is for the station to judge; how long a text may be is judged for the models
known here. A follow-up takes its song from the job it follows, or from the ids that are given.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from generation.contract.request import LARGEST_INTEGER, Form, Part, Problem, Prompt, Request

#: Longest `prompt` and `tags` by model. A suffix such as `-tau` changes neither.
TEXT_LIMITS = {
    "chirp-v3-5": (3000, 200),
    "chirp-v4": (3000, 200),
    "chirp-auk": (5000, 1000),
    "chirp-auk-turbo": (5000, 1000),
    "chirp-bluejay": (5000, 1000),
    "chirp-crow": (5000, 1000),
    "chirp-v5": (5000, 1000),
    "chirp-fenix": (5000, 1000),
}
_SUFFIXES = ("-upload", "-tau")


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")) or any(letter.isspace() for letter in value):
        raise ValueError("give the https URL of an audio file")
    return value


#: An id that the station gave.
Id = Annotated[
    str,
    Field(min_length=1, max_length=100),
    Form(r"^[A-Za-z0-9_.:~=-]+$", "an id of the station's: letters, digits and any of . _ : ~ = -"),
]
#: A weight between 0 and 1.
Weight = Annotated[float, Field(ge=0, le=1)]


class ControlSliders(Part):
    """How strongly style, strangeness and the given audio count."""

    style_weight: Weight | None = None
    weirdness_constraint: Weight | None = None
    audio_weight: Weight | None = None


class Metadata(Part):
    """What newer stations take beside the words of a song."""

    create_mode: str | None = Field(None, description="Such as `custom`.")
    vocal_gender: Literal["m", "f"] | None = None
    control_sliders: ControlSliders | None = None


class SongRequest(Request):
    """What every order of songs takes."""

    prompt: str | None = Field(
        None, description="The lyrics, with `[Verse]`, `[Chorus]` and so on between them."
    )
    tags: str | None = Field(None, description="The style, in words with commas between them.")
    title: str | None = None
    mv: str = Field("chirp-v4", min_length=1, description="The model.")
    make_instrumental: bool = Field(False, description="No singing.")
    negative_tags: str | None = Field(
        None, description="Styles to stay away from. Stock relays drop it."
    )
    generation_type: str | None = Field(None, description="Such as `TEXT`. Stock relays drop it.")
    metadata: Metadata | None = Field(
        None, description="Voice and weights of newer models. Stock relays drop it."
    )

    def problems(self) -> Iterator[Problem]:
        yield from length_problems(self)


class MusicRequest(SongRequest):
    """Two songs: from a description, or from one's own words and style."""

    gpt_description_prompt: str | None = Field(
        None,
        max_length=200,
        description="What the songs are to be about; Suno writes words, style and title.",
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        own = [name for name in ("prompt", "tags", "title") if (getattr(self, name) or "").strip()]
        described = bool((self.gpt_description_prompt or "").strip())
        if described and own:
            what = "is written by Suno where there is a gpt_description_prompt; give one of the two"
            yield from (((name,), what) for name in own)
        if not described and not own:
            yield (
                ("gpt_description_prompt",),
                "describe the songs here, or give a prompt, tags or a title of your own",
            )


class LyricsRequest(Request):
    """Words for a song."""

    prompt: Prompt = Field(description="What the words are to be about.")


class FollowUp(Request):
    """An order about one song of the job it follows, or about a song named by its ids."""

    clip: int = Field(1, ge=1, le=20, description="Which song of the job it follows: 1, 2 …")
    task_id: Id | None = Field(None, description="The station's task that made the song.")


class ExtendRequest(FollowUp, SongRequest):
    """More of a song, from some moment on."""

    continue_clip_id: Id | None = Field(None, description="The song, where no job is followed.")
    continue_at: float | None = Field(
        None, ge=0, description="The second from which on it is sung anew."
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from pair_problems(self.task_id, "continue_clip_id", self.continue_clip_id)


class CoverRequest(FollowUp, SongRequest):
    """The same song in another style."""

    cover_clip_id: Id | None = Field(None, description="The song, where no job is followed.")

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from pair_problems(self.task_id, "cover_clip_id", self.cover_clip_id)


class InfillRequest(FollowUp, SongRequest):
    """A section of a song, made anew."""

    continue_clip_id: Id | None = Field(None, description="The song, where no job is followed.")
    infill_start_s: float = Field(ge=0, description="Where the section begins, in seconds.")
    infill_end_s: float = Field(gt=0, description="Where it ends, in seconds.")

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from pair_problems(self.task_id, "continue_clip_id", self.continue_clip_id)
        if self.infill_end_s <= self.infill_start_s:
            yield ("infill_end_s",), "must be after infill_start_s"


class PersonaMusicRequest(SongRequest):
    """Songs in the voice and style of a persona."""

    mv: str = Field("chirp-v4-tau", min_length=1, description="A model whose name ends in `-tau`.")
    persona_id: Id | None = Field(None, description="The persona, where no job is followed.")
    artist_clip_id: Id | None = Field(
        None, description="The song it was made from, where no job is followed."
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from pair_problems(self.artist_clip_id, "persona_id", self.persona_id)
        if self.persona_id and not self.artist_clip_id:
            yield ("artist_clip_id",), "a persona_id needs the song it was made from"


class StemsRequest(FollowUp):
    """A song taken apart."""

    continue_clip_id: Id | None = Field(None, description="The song, where no job is followed.")
    mv: str = Field("chirp-auk", min_length=1, description="The model.")
    stem_task: str = Field("two", min_length=1, description="`two`: the voice and the rest.")
    stem_type_id: int = Field(91, ge=0, le=LARGEST_INTEGER)
    stem_type_group_name: str = Field("Two", min_length=1)

    def problems(self) -> Iterator[Problem]:
        yield from pair_problems(self.task_id, "continue_clip_id", self.continue_clip_id)


class ConcatRequest(Request):
    """An extended song from its beginning to its new end, in one piece."""

    clip: int = Field(1, ge=1, le=20, description="Which song of the job it follows: 1, 2 …")
    clip_id: Id | None = Field(
        None, description="The extension (not the first song), where no job is followed."
    )
    is_infill: bool | None = Field(
        None, description="Whether it is a section made anew; known where a job is followed."
    )


class UploadRequest(Request):
    """Somebody's own audio, to extend or cover."""

    url: Annotated[str, AfterValidator(_web_address)] = Field(
        max_length=2000, description="An audio file at an https URL."
    )


class PersonaRequest(Request):
    """A voice and style to sing with again, taken from a song."""

    name: Prompt
    description: str = ""
    clip: int = Field(1, ge=1, le=20, description="Which song of the job it follows: 1, 2 …")
    root_clip_id: Id | None = Field(None, description="The song, where no job is followed.")
    clips: tuple[Id, ...] | None = Field(
        None, min_length=1, max_length=20, description="All songs it is taken from; usually the one"
    )
    is_public: bool = False


class TagsRequest(Request):
    """A longer description of a style."""

    original_tags: Prompt = Field(description="The style in a few words.")


class ClipRequest(FollowUp):
    """Something about one song."""

    clip_id: Id | None = Field(None, description="The song, where no job is followed.")

    def problems(self) -> Iterator[Problem]:
        yield from pair_problems(self.task_id, "clip_id", self.clip_id)


def length_problems(request: SongRequest) -> Iterator[Problem]:
    """Texts that are too long for the model; nothing is known against an unknown one."""
    model = request.mv.lower()
    for suffix in _SUFFIXES:
        model = model.removesuffix(suffix)
    if model not in TEXT_LIMITS:
        return
    for name, longest in zip(("prompt", "tags"), TEXT_LIMITS[model], strict=True):
        if len(getattr(request, name) or "") > longest:
            yield (name,), f"{request.mv} takes at most {longest} characters"


def pair_problems(second: str | None, name: str, first: str | None) -> Iterator[Problem]:
    """An id that means nothing without another one."""
    if second and not first:
        yield (name,), "is missing: the other id means nothing without it"
