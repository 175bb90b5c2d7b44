"""Suno's orders, one row each: what they take, what they bring and how long that takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from generation.contract.request import Request
from generation.polling.pace import UsualDurations
from generation.providers.suno.products import Product
from generation.providers.suno.request import (
    ClipRequest,
    ConcatRequest,
    CoverRequest,
    ExtendRequest,
    InfillRequest,
    LyricsRequest,
    MusicRequest,
    PersonaMusicRequest,
    PersonaRequest,
    StemsRequest,
    TagsRequest,
    UploadRequest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long a product takes, and when to give up."""

    durations: UsualDurations
    deadline: timedelta


def _times(early: float, typical: float, late: float, deadline_minutes: float) -> Times:
    durations = UsualDurations(
        timedelta(seconds=early), timedelta(seconds=typical), timedelta(seconds=late)
    )
    return Times(durations=durations, deadline=timedelta(minutes=deadline_minutes))


#: A pair of songs takes 85 to 200 seconds; a Suno-API gives it up after ten minutes.
_SONGS = _times(80, 100, 200, 15)
_WORDS = _times(2, 6, 20, 5)
_QUICK = _times(1, 2, 10, 5)
#: Files are made when they are first asked for. No source says how long that takes.
_FILE = _times(10, 30, 90, 15)

#: The orders that make songs, so that others can go on with them.
SONG_MAKERS = frozenset(
    {"music", "extend", "concat", "cover", "infill", "persona_music", "stems", "upload"}
)

#: A Suno-API answers an order of lyrics with the finished words' id, after up to two minutes.
LYRICS_PATIENCE = timedelta(seconds=150)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One order, in whatever dialect."""

    name: str
    summary: str
    request: type[Request]
    product: Product
    times: Times
    example: Mapping[str, Any]
    follows: frozenset[str] = frozenset()
    submit_timeout: timedelta | None = None


#: A song and its task for the examples; the sandbox station knows them.
EXAMPLE_TASK = "5a9d0000-0000-4000-8000-000000000010"
EXAMPLE_CLIP = "5a9d0000-0000-4000-8000-000000000011"

_VERSE = (
    "[Verse]\nRain on the harbour, lamps in a row\n[Chorus]\nWe are the tide, we come and we go"
)

COMMANDS = (
    Command(
        name="music",
        summary="Two songs, from a description or from your own lyrics, style and title.",
        request=MusicRequest,
        product=Product.SONGS,
        times=_SONGS,
        example={
            "gpt_description_prompt": "a slow sea shanty about a lighthouse",
            "mv": "chirp-v4",
            "make_instrumental": False,
        },
    ),
    Command(
        name="lyrics",
        summary="Words for a song, with a title.",
        request=LyricsRequest,
        product=Product.LYRICS,
        times=_WORDS,
        example={"prompt": "a lighthouse that is tired of the sea"},
        submit_timeout=LYRICS_PATIENCE,
    ),
    Command(
        name="extend",
        summary="More of a song, from some second on; concat puts the whole together.",
        request=ExtendRequest,
        product=Product.SONGS,
        times=_SONGS,
        example={
            "continue_clip_id": EXAMPLE_CLIP,
            "task_id": EXAMPLE_TASK,
            "continue_at": 45,
            "prompt": _VERSE,
            "tags": "sea shanty, slow",
            "title": "Lighthouse",
        },
        follows=SONG_MAKERS,
    ),
    Command(
        name="concat",
        summary="An extended song, or one with a new section, in one piece.",
        request=ConcatRequest,
        product=Product.SONGS,
        times=_SONGS,
        example={"clip_id": EXAMPLE_CLIP, "is_infill": False},
        follows=frozenset({"extend", "infill"}),
    ),
    Command(
        name="cover",
        summary="A song in another style.",
        request=CoverRequest,
        product=Product.SONGS,
        times=_SONGS,
        example={"cover_clip_id": EXAMPLE_CLIP, "prompt": _VERSE, "tags": "brass band"},
        follows=SONG_MAKERS,
    ),
    Command(
        name="infill",
        summary="A song with one section made anew; concat puts the whole together.",
        request=InfillRequest,
        product=Product.SONGS,
        times=_SONGS,
        example={
            "continue_clip_id": EXAMPLE_CLIP,
            "task_id": EXAMPLE_TASK,
            "infill_start_s": 30,
            "infill_end_s": 45,
            "prompt": _VERSE,
            "tags": "sea shanty, slow",
            "title": "Lighthouse",
        },
        follows=SONG_MAKERS,
    ),
    Command(
        name="persona_music",
        summary="Two songs in the voice and style of a persona.",
        request=PersonaMusicRequest,
        product=Product.SONGS,
        times=_SONGS,
        example={
            "persona_id": "5a9d0000-0000-4000-8000-0000000000a0",
            "artist_clip_id": EXAMPLE_CLIP,
            "prompt": _VERSE,
            "tags": "sea shanty",
            "title": "Harbour",
        },
        follows=frozenset({"persona"}),
    ),
    Command(
        name="stems",
        summary="The voice and the instruments of a song, apart.",
        request=StemsRequest,
        product=Product.SONGS,
        times=_SONGS,
        example={"continue_clip_id": EXAMPLE_CLIP},
        follows=SONG_MAKERS,
    ),
    Command(
        name="upload",
        summary="Your own audio as a song to extend or cover.",
        request=UploadRequest,
        product=Product.UPLOAD,
        times=_FILE,
        example={"url": "https://files.example.com/demo.mp3"},
    ),
    Command(
        name="persona",
        summary="A persona: the voice and style of a song, to sing with again.",
        request=PersonaRequest,
        product=Product.PERSONA,
        times=_QUICK,
        example={
            "root_clip_id": EXAMPLE_CLIP,
            "name": "The keeper",
            "description": "A hoarse old voice",
        },
        follows=SONG_MAKERS,
    ),
    Command(
        name="tags",
        summary="A longer description of a style.",
        request=TagsRequest,
        product=Product.TAGS,
        times=_QUICK,
        example={"original_tags": "sea shanty"},
    ),
    Command(
        name="wav",
        summary="A song without loss, as WAV.",
        request=ClipRequest,
        product=Product.WAV,
        times=_FILE,
        example={"clip_id": EXAMPLE_CLIP, "task_id": EXAMPLE_TASK},
        follows=SONG_MAKERS,
    ),
    Command(
        name="mp4",
        summary="A film of a song, with its cover and words.",
        request=ClipRequest,
        product=Product.VIDEO,
        times=_FILE,
        example={"clip_id": EXAMPLE_CLIP, "task_id": EXAMPLE_TASK},
        follows=SONG_MAKERS,
    ),
    Command(
        name="timing",
        summary="When each word of a song is sung.",
        request=ClipRequest,
        product=Product.TIMING,
        times=_QUICK,
        example={"clip_id": EXAMPLE_CLIP, "task_id": EXAMPLE_TASK},
        follows=SONG_MAKERS,
    ),
    Command(
        name="midi",
        summary="The notes of a song, by instrument.",
        request=ClipRequest,
        product=Product.MIDI,
        times=_FILE,
        example={"clip_id": EXAMPLE_CLIP},
        follows=SONG_MAKERS,
    ),
)
