"""The dialect `suno.taskid`: services in the vendor's official style, which answer with a `taskId`.

Names are camelCase, models are called `V4` and the like, and every product has a record of its own
to look at. Such a service wants a `callBackUrl` with each order: a deployment without a public
address needs one in its station's `extra_body`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from generation.contract.call import Call
from generation.contract.errors import Rejected
from generation.contract.operation import Order, Task
from generation.providers.suno import bodies
from generation.providers.suno.parents import Song, song_of
from generation.providers.suno.request import (
    ClipRequest,
    ExtendRequest,
    InfillRequest,
    LyricsRequest,
    MusicRequest,
    SongRequest,
)
from generation.providers.suno.ways import Body, Dialect, Way, Write, post

#: The service's names of the models; another name goes upstream as it is.
MODELS: Mapping[str, str] = {
    "chirp-v3-5": "V3_5",
    "chirp-v4": "V4",
    "chirp-auk": "V4_5",
    "chirp-auk-turbo": "V4_5ALL",
    "chirp-bluejay": "V4_5PLUS",
    "chirp-crow": "V5",
    "chirp-v5": "V5",
    "chirp-fenix": "V5_5",
}


def music(request: MusicRequest, order: Order) -> Body:
    del order  # a new song follows nothing
    description = request.gpt_description_prompt
    if description:
        return _song(request, custom=False) | {"prompt": description}
    needed = ["tags", "title"] if request.make_instrumental else ["prompt", "tags", "title"]
    _insist(request, needed)
    return _song(request, custom=True) | _texts(request)


def lyrics(request: LyricsRequest, order: Order) -> Body:
    del order
    return {"prompt": request.prompt}


def extend(request: ExtendRequest, order: Order) -> Body:
    """Either all of its own words and style, or none of them."""
    song = bodies.extended_song(request, order)
    own = any(
        value is not None
        for value in (request.prompt, request.tags, request.title, request.continue_at)
    )
    if own:
        _insist(request, ["prompt", "tags", "title", "continue_at"])
    about = {"audioId": song.clip_id, "defaultParamFlag": own, "model": _model(request)}
    return about | _tuning(request) | _texts(request) | _given(continueAt=request.continue_at)


def infill(request: InfillRequest, order: Order) -> Body:
    song = bodies.extended_song(request, order)
    _insist(request, ["prompt", "tags", "title"])
    words = {"prompt": request.prompt, "tags": request.tags, "title": request.title}
    section = {"infillStartS": request.infill_start_s, "infillEndS": request.infill_end_s}
    return _named(song) | words | section | _given(negativeTags=request.negative_tags)


def about_clip(request: ClipRequest, order: Order) -> Body:
    return _named(
        song_of(
            order, named=request.clip_id, field="clip_id", clip=request.clip, task=request.task_id
        )
    )


def _named(song: Song) -> Body:
    if not song.task_id:
        raise Rejected("task_id: this station knows a song by its id and its task's; name both")
    return {"taskId": song.task_id, "audioId": song.clip_id}


def _song(request: SongRequest, *, custom: bool) -> Body:
    about = {"customMode": custom, "instrumental": request.make_instrumental}
    return about | {"model": _model(request)} | _tuning(request)


def _texts(request: SongRequest) -> Body:
    return _given(prompt=request.prompt, style=request.tags, title=request.title)


def _tuning(request: SongRequest) -> Body:
    metadata = request.metadata
    sliders = metadata.control_sliders if metadata else None
    return _given(
        negativeTags=request.negative_tags,
        vocalGender=metadata.vocal_gender if metadata else None,
        styleWeight=sliders.style_weight if sliders else None,
        weirdnessConstraint=sliders.weirdness_constraint if sliders else None,
        audioWeight=sliders.audio_weight if sliders else None,
    )


def _given(**values: object) -> Body:
    return {name: value for name, value in values.items() if value is not None}


def _model(request: SongRequest) -> str:
    return MODELS.get(request.mv, request.mv)


def _insist(request: SongRequest, names: list[str]) -> None:
    """This service needs fields that others do without. Raises `Rejected` for the first missing."""
    for name in names:
        if getattr(request, name) in (None, ""):
            raise Rejected(f"{name}: is required by this station, together with {', '.join(names)}")


def _record(path: str) -> Callable[[Task], Call]:
    return lambda task: Call("GET", f"{path}/record-info", params={"taskId": task.upstream_id})


def _way(path: str, write: Write, record: str) -> Way:
    return Way(post(path, write, "callBackUrl"), _record(record))


TASKID = Dialect(
    name="suno.taskid",
    refresh=timedelta(seconds=5),
    ways={
        "music": _way("/generate", music, "/generate"),
        "extend": _way("/generate/extend", extend, "/generate"),
        "infill": _way("/generate/replace-section", infill, "/generate"),
        "lyrics": _way("/lyrics", lyrics, "/lyrics"),
        "wav": _way("/wav/generate", about_clip, "/wav"),
        "mp4": _way("/mp4/generate", about_clip, "/mp4"),
        "timing": Way(
            post("/generate/get-timestamped-lyrics", about_clip),
            _record("/generate"),
            is_question=True,
        ),
    },
)
