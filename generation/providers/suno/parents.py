"""What a follow-up takes from the job it follows, and what its caller may name instead."""

from dataclasses import dataclass
from typing import Any

from generation.contract.errors import Rejected
from generation.contract.operation import Order, Parent
from generation.contract.status import AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.suno import fields
from generation.providers.suno.reply import BY_CLIPS, LOOK


@dataclass(frozen=True, slots=True)
class Song:
    """One song to go on with."""

    clip_id: str
    #: The station's task that made it; "" where there is none, or nobody named it.
    task_id: str = ""
    #: What the caller ordered to get it; "" where only the id is known.
    made_by: str = ""


def song_of(order: Order, *, named: str | None, field: str, clip: int, task: str | None) -> Song:
    """The song named by its id or, without one, song number `clip` of the parent.

    A named song may be one of the parent's, and then has its task.

    Raises `Rejected` where there is neither, or where the parent has no such song; it names
    `field`, which could hold the id.
    """
    parent = order.parent
    songs = _songs(parent) if parent else []
    if parent is None or (named and (task or named not in songs)):
        if not named:
            raise Rejected(f"{field}: follow the job that made the song, or name its id here")
        return Song(named, task or "")
    if not named and len(songs) < clip:
        raise Rejected(f"clip: the job it follows has {len(songs)} song(s), and no number {clip}")
    has_task = parent.details.get(LOOK) != BY_CLIPS
    return Song(
        named or songs[clip - 1],
        task_id=parent.upstream_id if has_task else "",
        made_by=parent.operation,
    )


def persona_of(order: Order, *, named: str | None, root: str | None) -> tuple[str, str]:
    """The ids of a persona and of the song it was made from.

    Raises `Rejected` where there are none.
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


def _songs(parent: Parent) -> list[str]:
    """The ids of the parent's songs, in their order."""
    facts: Any = parent.result.details.get("clips")
    listed = [fields.first_identifier(each, "id") for each in wire.one_or_more(facts)]
    listed += [
        asset.upstream_id
        for asset in parent.result.assets
        if asset.type is AssetType.AUDIO and asset.upstream_id
    ]
    return list(dict.fromkeys(filter(None, listed)))
