"""The dialects of the Suno-API family.

Paths begin where a station mounts them, usually at `/suno`.

`suno.newapi` is a relay of the new-api kind, with the endpoints that many stations add; a stock
relay answers those with its dashboard, which reads as `unsupported`. `suno.raw` is a Suno-API
spoken to directly. `suno.feed` is Suno's own web service passed through, where an order is answered
with its songs and there are no tasks. `suno.onepath` is a relay that takes every order of songs,
concatenation too, at `/submit/music`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Order, Task
from generation.providers.suno import bodies
from generation.providers.suno.parents import song_of
from generation.providers.suno.reply import BY_CLIPS, LOOK
from generation.providers.suno.request import ClipRequest, ExtendRequest, MusicRequest, SongRequest
from generation.providers.suno.ways import Body, Dialect, Way, Write, get, look, post

#: Fields that a Suno-API drops without a word.
_STATION_ONLY = ("negative_tags", "generation_type", "metadata")

SONG_BODIES: Mapping[str, Write] = {
    "music": bodies.music,
    "extend": bodies.extend,
    "cover": bodies.cover,
    "infill": bodies.infill,
    "persona_music": bodies.persona_music,
    "stems": bodies.stems,
}


def look_at_task(task: Task) -> Call:
    """A task by its id; songs that came without a task by theirs."""
    by_clips = task.details.get(LOOK) == BY_CLIPS
    return look("/feed" if by_clips else "/fetch")(task)


def ask_for_one(task: Task) -> Call:
    """The list of one: a Suno-API shows a task's status in lists only."""
    return Call("POST", "/fetch", {"ids": [task.upstream_id]})


def clip_of(request: ClipRequest, order: Order) -> str:
    """The song that is asked about."""
    song = song_of(
        order, named=request.clip_id, field="clip_id", clip=request.clip, task=request.task_id
    )
    return song.clip_id


def raw_music(request: MusicRequest, order: Order) -> Body:
    return _plain(request, bodies.music(request, order))


def raw_extend(request: ExtendRequest, order: Order) -> Body:
    body = _plain(request, bodies.extend(request, order))
    if "task_id" not in body:
        raise Rejected("task_id: this station goes on only with a song of a task; name the task")
    return {name: value for name, value in body.items() if name != "task"}


def _plain(request: SongRequest, body: Body) -> Body:
    dropped = next((name for name in _STATION_ONLY if getattr(request, name) is not None), None)
    if dropped:
        raise Rejected(
            f"{dropped}: a Suno-API ignores it; leave it out", code=ErrorCode.UNSUPPORTED
        )
    return body


def feed_extend(request: ExtendRequest, order: Order) -> Body:
    of_upload = order.parent is not None and order.parent.operation == "upload"
    return bodies.extend(request, order) | {"task": "upload_extend" if of_upload else "extend"}


def without_task(write: Write) -> Write:
    """The same body for a service that has songs and no tasks."""

    def written(request: Any, order: Order) -> Body:
        body = write(request, order)
        return {name: value for name, value in body.items() if name != "task_id"}

    return written


#: Endpoints that stations have beside their tasks.
_EXTRAS: Mapping[str, Way] = {
    "persona": Way(post("/persona/create/", bodies.persona), look_at_task),
    "tags": Way(post("/act/tags", bodies.tags), look_at_task),
    "wav": Way(get("/act/wav", clip_of), look_at_task, is_question=True),
    "mp4": Way(get("/act/mp4", clip_of), look_at_task, is_question=True),
    "timing": Way(get("/act/timing", clip_of), look_at_task, is_question=True),
    "midi": Way(get("/act/midi", clip_of), look_at_task, is_question=True),
}

_RELAY_WAYS: Mapping[str, Way] = {
    **{
        name: Way(post("/submit/music", write, "notify_hook"), look_at_task)
        for name, write in SONG_BODIES.items()
    },
    "lyrics": Way(post("/submit/lyrics", bodies.lyrics, "notify_hook"), look_at_task),
    "concat": Way(post("/submit/concat", bodies.concat, "notify_hook"), look_at_task),
    "upload": Way(post("/uploads/audio-url", bodies.upload), look_at_task),
    **_EXTRAS,
}

#: A relay looks at its own upstream every 15 seconds, but stations in front of one are quicker.
_RELAY_REFRESH = timedelta(seconds=10)
#: A Suno-API looks at Suno every 5 seconds.
_SUNO_REFRESH = timedelta(seconds=5)

NEWAPI = Dialect(name="suno.newapi", refresh=_RELAY_REFRESH, ways=_RELAY_WAYS, batch_limit=100)

ONEPATH = Dialect(
    name="suno.onepath",
    refresh=_RELAY_REFRESH,
    ways={
        **_RELAY_WAYS,
        "concat": Way(post("/submit/music", bodies.concat, "notify_hook"), look_at_task),
    },
    batch_limit=100,
)

RAW = Dialect(
    name="suno.raw",
    refresh=_SUNO_REFRESH,
    ways={
        "music": Way(post("/submit/music", raw_music), ask_for_one),
        "lyrics": Way(post("/submit/lyrics", bodies.lyrics), ask_for_one),
        "extend": Way(post("/submit/music", raw_extend), ask_for_one),
    },
    batch_limit=100,
)

FEED = Dialect(
    name="suno.feed",
    refresh=_SUNO_REFRESH,
    ways={
        **{
            name: Way(post("/generate", without_task(write)), look("/feed"))
            for name, write in {**SONG_BODIES, "extend": feed_extend}.items()
        },
        "lyrics": Way(post("/generate/lyrics/", bodies.lyrics), look("/lyrics")),
        "concat": Way(post("/generate/concat", bodies.concat), look("/feed")),
        "upload": Way(post("/uploads/audio-url", bodies.upload), look("/feed")),
        **{name: replace(way, look=look("/feed")) for name, way in _EXTRAS.items()},
    },
)
