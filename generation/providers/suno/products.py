"""What an order is for: songs, words, or a file made from a song; and where an answer holds it.

A product is either in the result of a finished task or in an answer that has no task at all, in the
same fields.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, cast

from generation.contract.status import Asset, AssetType, Succeeded
from generation.providers.kit import json_reader as wire
from generation.providers.kit.signed_urls import signed_until
from generation.providers.suno import fields
from generation.providers.suno.clips import Clip, Stage


class Product(Enum):
    """What a finished order brings."""

    SONGS = "songs"
    LYRICS = "lyrics"
    #: A clip made from somebody's own audio; its id is worth having even without an address.
    UPLOAD = "upload"
    WAV = "wav"
    VIDEO = "video"
    TIMING = "timing"
    MIDI = "midi"
    PERSONA = "persona"
    TAGS = "tags"


#: Asked for again and again until it is there; nothing is bought by asking.
MADE_ON_DEMAND = frozenset({Product.WAV, Product.VIDEO, Product.MIDI})
#: In the submit's own answer, where the station has no task for it.
IMMEDIATE = MADE_ON_DEMAND | {Product.TIMING, Product.PERSONA, Product.TAGS}

_FILES: Mapping[Product, tuple[AssetType, tuple[str, ...]]] = {
    Product.WAV: (
        AssetType.AUDIO,
        ("wav_file_url", "wav_url", "audioWavUrl", "wavFileUrl", "url"),
    ),
    Product.VIDEO: (AssetType.VIDEO, ("video_url", "videoUrl", "mp4_url", "mp4", "url")),
}


def product_in(product: Product, result: Any) -> Succeeded | None:
    """Return the product in a result; None if it is not there.

    The result is an object, a list of one or a bare URL. Not for songs, which are read clip by
    clip.
    """
    if product in _FILES:
        return _file(product, result)
    found = wire.one_or_more(result)
    match product:
        case Product.LYRICS:
            return _lyrics(found)
        case Product.TIMING:
            return _first(_timing, found)
        case Product.MIDI:
            return _first(_midi, found)
        case Product.PERSONA:
            return _first(_persona, found)
        case Product.TAGS:
            return _first(_tags, found)
        case _:
            return None


def songs_in(clips: Sequence[Clip], warning: str = "") -> Succeeded:
    """Finished songs. `warning` says what is wrong with the rest of the task."""
    details: dict[str, Any] = {"clips": [clip.facts() for clip in clips]}
    return Succeeded(
        assets=tuple({asset.url: asset for clip in clips for asset in clip.assets()}.values()),
        details=details | ({"warning": warning} if warning else {}),
    )


def upload_in(clips: Sequence[Clip]) -> Succeeded | None:
    """An uploaded song: its files if there are any, and else the id by which it can be used."""
    usable = [clip for clip in clips if clip.id and clip.stage(task_is_done=True) in _UPLOADED]
    if not usable:
        return None
    done = songs_in(usable)
    texts = () if done.assets else tuple(clip.id for clip in usable)
    return Succeeded(done.assets, texts, details=done.details)


_UPLOADED = frozenset({Stage.FINAL, Stage.STREAM, Stage.EMPTY})


def _file(product: Product, result: Any) -> Succeeded | None:
    medium, names = _FILES[product]
    sources = wire.one_or_more(result)
    addresses = [wire.address(result), *(wire.first_address(source, *names) for source in sources)]
    assets = [
        Asset(type=medium, url=address, expires_at=signed_until(address))
        for address in dict.fromkeys(filter(None, addresses))
    ]
    return Succeeded(tuple(assets)) if assets else None


def _lyrics(found: Sequence[Mapping[str, Any]]) -> Succeeded | None:
    """Each version of the words; the titles, in the same order, are among the facts."""
    versions = [each for each in found if wire.text(each.get("text"))]
    if not versions:
        return None
    titles = [wire.text(each.get("title")) for each in versions]
    tags = [tag for each in versions for tag in _words(each.get("tags"))]
    known = {"titles": titles if any(titles) else [], "tags": tags}
    return Succeeded(
        texts=tuple(wire.text(each.get("text")) for each in versions),
        details={name: fact for name, fact in known.items() if fact},
    )


def _timing(source: Mapping[str, Any]) -> Succeeded | None:
    """The words of a song as one text, and each with its time among the facts."""
    words = wire.one_or_more(source.get("aligned_words") or source.get("alignedWords"))
    sung = "".join(_raw(word.get("word")) for word in words).strip()
    if not sung:
        return None
    facts = {
        "aligned_words": fields.kept(list(words)),
        "waveform_data": fields.kept(source.get("waveform_data") or source.get("waveformData")),
        "hoot_cer": wire.number(source.get("hoot_cer", source.get("hootCer"))),
    }
    return Succeeded(
        texts=(sung,), details={name: fact for name, fact in facts.items() if fact is not None}
    )


def _midi(source: Mapping[str, Any]) -> Succeeded | None:
    """The names of the instruments, and their notes among the facts."""
    source = wire.mapping(source.get("midiData")) or source
    state = wire.text(source.get("state")).lower()
    instruments = wire.one_or_more(source.get("instruments"))
    if not instruments or state not in ("", "complete"):
        return None
    names = (wire.text(each.get("name")) for each in instruments)
    return Succeeded(
        texts=(", ".join(filter(None, names)) or f"{len(instruments)} instruments",),
        details={"instruments": fields.kept(list(instruments))},
    )


def _persona(source: Mapping[str, Any]) -> Succeeded | None:
    """The persona's id, which is all that later orders need."""
    source = wire.mapping(source.get("persona")) or source
    persona_id = fields.first_identifier(source, "persona_id", "personaId", "id")
    if not persona_id:
        return None
    root = fields.first_identifier(source, "root_clip_id", "rootClipId")
    facts = {
        "persona_id": persona_id,
        "name": wire.text(source.get("name")),
        "root_clip_id": root,
    }
    return Succeeded(
        texts=(persona_id,),
        details={name: fact for name, fact in facts.items() if fact},
        upstream_id=persona_id,
    )


def _tags(source: Mapping[str, Any]) -> Succeeded | None:
    """A longer description of a style."""
    longer = wire.first_text(source, "upsampled_tags", "upsampledTags", "result")
    request = fields.first_identifier(source, "request_id", "requestId")
    if not longer:
        return None
    return Succeeded(texts=(longer,), details={"request_id": request} if request else {})


def _first(
    read: Callable[[Mapping[str, Any]], Succeeded | None], found: Sequence[Mapping[str, Any]]
) -> Succeeded | None:
    return next(filter(None, map(read, found)), None)


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _words(value: Any) -> list[str]:
    listed = cast(list[Any], value) if isinstance(value, list) else [value]
    return [word for each in listed if (word := wire.text(each))]
