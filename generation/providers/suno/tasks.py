"""Where a task stands.

The status of the task decides, not that of its songs: a task that timed out keeps the state its
songs had before. Songs that come without a task decide together.
"""

import re
from collections.abc import Sequence

from generation.contract.errors import ErrorCode, UnrecognizedReply
from generation.contract.reply import Reply
from generation.contract.status import Running, Status
from generation.providers.kit import json_reader as wire
from generation.providers.kit import status_words
from generation.providers.suno.clips import Clip, Stage, is_clip
from generation.providers.suno.found import Found
from generation.providers.suno.products import Product, product_in, songs_in, upload_in
from generation.providers.suno.reasons import failure

_QUEUED = status_words.QUEUED | {""}
_RUNNING = status_words.RUNNING | {"streaming", "text_success", "first_success"}
_SUCCEEDED = status_words.SUCCEEDED | {"complete", "30"}
_FAILED = re.compile(
    r"(\w+_)?(fail(ed|ure)?|error)"  # `GENERATE_AUDIO_FAILED` and its kin
)
#: What a Suno-API calls a state of its songs that it does not know, and what a station says that
#: could not call back: the songs themselves may tell more.
_UNDECIDED = frozenset({"unknown", "callback_exception"})

#: How far a song is while it waits and while it is streamed, where the task says 0 %.
_WAITING_PERCENT, _STREAMING_PERCENT, _ALMOST_PERCENT = 5, 60, 99

#: An unknown status word is kept for a person to read, a novel is not.
_LONGEST_WORD = 60


def read_found(found: Found, product: Product, reply: Reply) -> Status:
    """Where the task stands.

    Raises `UnrecognizedReply`: with `asset_missing` for a success that brings nothing, and as it is
    where the answer says nothing about a task.
    """
    if not found.task:
        return _read_bare(found, product, reply)
    word = found.word.lower()
    if word in _SUCCEEDED:
        return _finished(found, product, reply)
    # A relay that gives a task up may leave its status as it was, and only say why.
    if _FAILED.fullmatch(word) or wire.text(found.task.get("fail_reason")):
        return _failed(found, product)
    progress = _progress(found)
    if not word and (status := _decided_by_items(found, product, reply)):
        return status
    if word in _QUEUED:
        return Running(progress, queued=True)
    if word in _RUNNING:
        return Running(progress)
    if word in _UNDECIDED:
        return _decided_by_songs(found, product, reply) or Running(progress)
    return Running(progress, unknown_word=found.word[:_LONGEST_WORD])


def has_failed(found: Found) -> bool:
    """Whether a result without a task says of itself that it failed."""
    source = next(iter(wire.one_or_more(found.result)), wire.EMPTY)
    return bool(_FAILED.fullmatch(wire.first_text(source, "status", "state").lower()))


def _finished(found: Found, product: Product, reply: Reply) -> Status:
    """The task calls itself done."""
    if product is Product.SONGS:
        return _finished_songs(found, reply)
    if product is Product.UPLOAD:
        return upload_in(found.clips) or _empty_handed(found)
    return product_in(product, found.result) or _empty_handed(found)


def _finished_songs(found: Found, reply: Reply) -> Status:
    """A song of a task that is done may still lag behind it, as a live stream."""
    stages = [(clip, clip.stage(task_is_done=True)) for clip in found.clips]
    final = [clip for clip, stage in stages if stage is Stage.FINAL]
    streams = [clip for clip, stage in stages if stage is Stage.STREAM]
    if not final and not streams:
        return _empty_handed(found)
    lost = [clip for clip, stage in stages if stage not in (Stage.FINAL, Stage.STREAM)]
    usable = [clip for clip, _ in stages if clip not in lost]
    songs = songs_in(usable, _warning(found, lost))
    settled = found.is_settled(reply) if streams else True
    if settled is False or (settled is None and not final):
        return Running(_ALMOST_PERCENT, so_far=songs)
    return songs


def _failed(found: Found, product: Product) -> Status:
    """One finished song is a success all the same: it was made, and perhaps paid."""
    reason, kind = found.complaint()
    usable = [clip for clip in found.clips if clip.stage() is Stage.FINAL]
    if product in (Product.SONGS, Product.UPLOAD) and usable:
        return songs_in(usable, reason or "the task failed; this much of it was finished")
    return failure(reason, kind)


def _read_bare(found: Found, product: Product, reply: Reply) -> Status:
    if product not in (Product.SONGS, Product.UPLOAD):
        return _read_bare_product(found, product, reply)
    if not any(_is_song(clip) for clip in found.clips):
        raise _unreadable(reply)
    return _decided_by_songs(found, product, reply) or Running(
        _estimate(found),
        queued=all(clip.stage() is Stage.QUEUED for clip in found.clips),
        unknown_word=next(filter(None, (clip.unknown_word for clip in found.clips)), None),
    )


def _read_bare_product(found: Found, product: Product, reply: Reply) -> Status:
    """Words or a file without a task; their own status word tells whether they are there yet."""
    source = next(iter(wire.one_or_more(found.result)), wire.EMPTY)
    word = wire.first_text(source, "status", "state")
    known = word.lower()
    if has_failed(found):
        return failure(*found.complaint())
    done = product_in(product, found.result)
    if done and (not known or known in _SUCCEEDED):
        return done
    if known in _SUCCEEDED:
        return _empty_handed(found)
    if not known:
        raise _unreadable(reply)
    unknown_word = None if known in _QUEUED | _RUNNING else word[:_LONGEST_WORD]
    return Running(queued=known in _QUEUED, unknown_word=unknown_word)


def _decided_by_items(found: Found, product: Product, reply: Reply) -> Status | None:
    """What a task without a status word amounts to: its items know whether they are complete."""
    if product in (Product.SONGS, Product.UPLOAD):
        return _decided_by_songs(found, product, reply)
    source = next(iter(wire.one_or_more(found.result)), wire.EMPTY)
    word = wire.first_text(source, "status", "state").lower()
    if has_failed(found):
        return failure(*found.complaint())
    return product_in(product, found.result) if not word or word in _SUCCEEDED else None


def _decided_by_songs(found: Found, product: Product, reply: Reply) -> Status | None:
    """What songs without a task, or in an undecided one, amount to; None while they go on."""
    stages = {clip.stage() for clip in found.clips}
    if not stages or stages & {Stage.QUEUED, Stage.RUNNING}:
        return None
    if stages == {Stage.FAILED}:
        return failure(*found.complaint())
    return _finished(found, product, reply)


def _is_song(clip: Clip) -> bool:
    """Whether this much may be believed to be a song, with no task around it to say so."""
    return bool(clip.audio or (clip.id and (clip.word or is_clip(clip.source))))


def _empty_handed(found: Found) -> Status:
    """A success that brings nothing: its books may still be catching up."""
    reason, _ = found.complaint()
    raise UnrecognizedReply(
        "the task reports success and gives nothing" + (f": {reason}" if reason else ""),
        code=ErrorCode.ASSET_MISSING,
    )


def _warning(found: Found, lost: Sequence[Clip]) -> str:
    """What is wrong with a success of which some songs are missing; "" where none are."""
    if not lost:
        return ""
    reason = next(filter(None, (clip.complaint[0] for clip in lost)), "")
    return reason or f"{len(lost)} of {len(found.clips)} songs did not come to an end"


def _progress(found: Found) -> int | None:
    """Relays of the stock kind say 0 % to the end; the songs know a little more."""
    return wire.percent(found.task.get("progress")) or _estimate(found)


def _estimate(found: Found) -> int | None:
    stages = [clip.stage() for clip in found.clips if clip.word or clip.audio]
    if not stages:
        return wire.percent(found.task.get("progress"))
    waiting = all(stage in (Stage.QUEUED, Stage.FAILED) for stage in stages)
    return _WAITING_PERCENT if waiting else _STREAMING_PERCENT


def _unreadable(reply: Reply) -> UnrecognizedReply:
    return UnrecognizedReply(f"no task in: {reply.excerpt()}", upstream_status=reply.status)
