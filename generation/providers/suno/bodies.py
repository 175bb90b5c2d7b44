"""The bodies of Suno's own web service, which the Suno-API family and its feeds take over.

An order of songs is one body in many variations; `task` tells them apart where it is not simply
new. Stock relays and a Suno-API spoken to directly drop what they do not know, so an order that
means nothing without such a field is not offered there.
"""

from typing import Any

from generation.contract.operation import Order
from generation.providers.suno.parents import Song, persona_of, song_of
from generation.providers.suno.request import (
    ConcatRequest,
    CoverRequest,
    ExtendRequest,
    FollowUp,
    InfillRequest,
    LyricsRequest,
    MusicRequest,
    PersonaMusicRequest,
    PersonaRequest,
    SongRequest,
    StemsRequest,
    TagsRequest,
    UploadRequest,
)

Body = dict[str, Any]

#: Fields that are about a song to go on with; a body gets them from that song.
_ABOUT_A_SONG = {"clip", "task_id", "continue_clip_id", "cover_clip_id"}
_ABOUT_A_PERSONA = {"persona_id", "artist_clip_id"}


def music(request: MusicRequest, order: Order) -> Body:
    del order  # a new song follows nothing
    return _wire(request)


def lyrics(request: LyricsRequest, order: Order) -> Body:
    del order
    return {"prompt": request.prompt}


def extend(request: ExtendRequest, order: Order) -> Body:
    """An upload has no task to go on with; a song whose task nobody names is taken for one."""
    song = extended_song(request, order)
    is_upload = song.made_by == "upload" or not (song.made_by or song.task_id)
    return _follow_up(request, song, "continue_clip_id", with_task=not is_upload) | {
        "task": "upload_extend" if is_upload else "extend"
    }


def extended_song(request: ExtendRequest | InfillRequest | StemsRequest, order: Order) -> Song:
    return song_of(
        order,
        named=request.continue_clip_id,
        field="continue_clip_id",
        clip=request.clip,
        task=request.task_id,
    )


def cover(request: CoverRequest, order: Order) -> Body:
    song = song_of(
        order,
        named=request.cover_clip_id,
        field="cover_clip_id",
        clip=request.clip,
        task=request.task_id,
    )
    return _follow_up(request, song, "cover_clip_id") | {"task": "cover"}


def infill(request: InfillRequest, order: Order) -> Body:
    song = extended_song(request, order)
    return _follow_up(request, song, "continue_clip_id") | {"task": "infill"}


def stems(request: StemsRequest, order: Order) -> Body:
    song = extended_song(request, order)
    return _follow_up(request, song, "continue_clip_id") | {"task": "gen_stem"}


def persona_music(request: PersonaMusicRequest, order: Order) -> Body:
    persona_id, root = persona_of(order, named=request.persona_id, root=request.artist_clip_id)
    about = {"persona_id": persona_id, "artist_clip_id": root, "task": "artist_consistency"}
    return _wire(request, _ABOUT_A_PERSONA) | about


def concat(request: ConcatRequest, order: Order) -> Body:
    song = song_of(order, named=request.clip_id, field="clip_id", clip=request.clip, task=None)
    of_parent = song.made_by == "infill"
    is_infill = of_parent if request.is_infill is None else request.is_infill
    return {"clip_id": song.clip_id, "is_infill": is_infill}


def upload(request: UploadRequest, order: Order) -> Body:
    del order
    return {"url": request.url}


def persona(request: PersonaRequest, order: Order) -> Body:
    song = song_of(
        order, named=request.root_clip_id, field="root_clip_id", clip=request.clip, task=None
    )
    return {
        "root_clip_id": song.clip_id,
        "name": request.name,
        "description": request.description,
        "clips": list(request.clips or (song.clip_id,)),
        "is_public": request.is_public,
    }


def tags(request: TagsRequest, order: Order) -> Body:
    del order
    return {"original_tags": request.original_tags}


def _follow_up(request: FollowUp, song: Song, field: str, *, with_task: bool = True) -> Body:
    body = _wire(request, _ABOUT_A_SONG) | {field: song.clip_id}
    return body | ({"task_id": song.task_id} if song.task_id and with_task else {})


def _wire(request: SongRequest | FollowUp, without: set[str] | None = None) -> Body:
    """The request as it stands; what the caller left out is left out, but for what is charged."""
    return request.model_dump(mode="json", exclude_none=True, exclude=without)
