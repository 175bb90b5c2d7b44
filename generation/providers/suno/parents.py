"""
What a follow-up takes from the job it follows, and what its caller may name instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generation.errors import Rejected
from generation.operation import Order, Parent
from generation.providers.suno import fields
from generation.providers.suno.reply import BY_CLIPS, LOOK
from generation.status import Asset, AssetType


@dataclass(frozen=True, slots=True)
class Song:
    """One song to go on with."""

    clip_id: str
    #: The station's task that made it; "" where there is none, or nobody named it.
    task_id: str = ""
    #: What the caller ordered to get it; "" where only the id is known.
    made_by: str = ""
    #: Where its audio is; "" where only the id is known.
    url: str = ""


def song_of(order: Order, *, named: str | None, field: str, clip: int, task: str | None) -> Song:
    """
    The song named by its id or, without one, song number `clip` of the parent.

    Raises `Rejected` where there is neither, or where the parent has no such song; it names
    `field`, which could hold the id.
    """
    if named:
        return Song(named, task or "")
    parent = order.parent
    if parent is None:
        raise Rejected(f"{field}: follow the job that made the song, or name the song's id here")
    songs = _songs(parent)
    if len(songs) < clip:
        raise Rejected(f"clip: the job it follows has {len(songs)} song(s), and no number {clip}")
    clip_id = list(songs)[clip - 1]
    asset = songs[clip_id]
    has_task = parent.details.get(LOOK) != BY_CLIPS
    return Song(
        clip_id,
        task_id=parent.upstream_id if has_task else "",
        made_by=parent.operation,
        url=asset.url if asset else "",
    )


def persona_of(order: Order, *, named: str | None, root: str | None) -> tuple[str, str]:
    """
    The ids of a persona and of the song it was made from. Raises `Rejected` where there are none.
    """
    if named and root:
        return named, root
    parent = order.parent
    if parent is None:
        raise Rejected("persona_id: follow the job that made the persona, or name its ids")
    facts = parent.result.details
    persona_id = fields.first_identifier(facts, "persona_id") or parent.upstream_id
    root_id = fields.first_identifier(facts, "root_clip_id") or fields.first_identifier(
        parent.input, "root_clip_id"
    )
    if not root_id:
        raise Rejected(
            "artist_clip_id: the station did not say which song the persona was made from; name"
            " the persona_id and the song's id"
        )
    return persona_id, root_id


def _songs(parent: Parent) -> Mapping[str, Asset | None]:
    """The parent's songs by their ids, in their order, each with its audio if there is any."""
    facts: Any = parent.result.details.get("clips")
    listed = (fields.first_identifier(each, "id") for each in fields.mappings(facts))
    songs: dict[str, Asset | None] = {clip_id: None for clip_id in listed if clip_id}
    for asset in parent.result.assets:
        if asset.type is AssetType.AUDIO and asset.upstream_id:
            songs[asset.upstream_id] = asset
    return songs
