"""Clips: the songs of a task, as Suno describes them and as stations spell that.

A song is final when its clip is complete and its audio has left the live stream: until then
`audio_url` leads to `audiopipe.suno.ai`, which plays what exists so far and ends with the task. A
clip that failed may carry an address ending in `None.mp3`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit import status_words
from generation.providers.kit.signed_urls import signed_until
from generation.providers.suno import fields

_DONE = status_words.SUCCEEDED | {"complete", "30"}
_FAILED = status_words.FAILED
_QUEUED = status_words.QUEUED
_RUNNING = status_words.RUNNING | {"streaming"}

_AUDIO = ("audio_url", "audioUrl", "cld2AudioUrl", "audio", "sourceAudioUrl")
_STREAM = ("streamAudioUrl", "stream_audio_url")
_VIDEO = ("video_url", "videoUrl", "cld2VideoUrl")
_COVER = (
    "image_large_url",
    "imageLargeUrl",
    "image_url",
    "imageUrl",
    "cld2ImageUrl",
    "sourceImageUrl",
)
#: Fields that a clip has and a task has not.
_OWN = frozenset({*_AUDIO, *_STREAM, *_VIDEO, *_COVER, "clip_id", "clipId", "metadata"})


class Stage(Enum):
    """How far a clip is."""

    QUEUED = "queued"
    RUNNING = "running"
    #: Complete by its own word or its task's, and still only a live stream.
    STREAM = "stream"
    FINAL = "final"
    FAILED = "failed"
    #: Complete, and without a usable address.
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Clip:
    """One song as an answer shows it."""

    id: str
    #: Its status word in lower case, "" where it has none.
    word: str
    #: "" while there is none.
    audio: str
    is_stream: bool
    source: Mapping[str, Any]

    def stage(self, *, task_is_done: bool = False) -> Stage:
        """How far it is; a clip of a task that is done lags behind it or has no word at all."""
        if self.word in _FAILED:
            return Stage.FAILED
        done = task_is_done or self.word in _DONE or (not self.word and bool(self.audio))
        if not done:
            return Stage.QUEUED if self.word in _QUEUED or not self.word else Stage.RUNNING
        if not self.audio:
            return Stage.EMPTY
        return Stage.STREAM if self.is_stream else Stage.FINAL

    @property
    def unknown_word(self) -> str | None:
        """Its status word, where that is none we know."""
        known = _DONE | _FAILED | _QUEUED | _RUNNING
        return self.word if self.word and self.word not in known else None

    @property
    def complaint(self) -> tuple[str, str]:
        """Why it failed, and Suno's word for that kind of failure."""
        metadata = wire.mapping(self.source.get("metadata"))
        reason = wire.first_text(metadata, "error_message") or wire.first_text(
            self.source, "error_message", "errorMessage", "msg", "progressMsg"
        )
        return reason, wire.first_text(metadata, "error_type")

    @property
    def created_at(self) -> datetime | None:
        """When Suno began with it."""
        try:
            moment = datetime.fromisoformat(wire.text(self.source.get("created_at")))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def facts(self) -> dict[str, Any]:
        """What is worth keeping of it beside its files."""
        metadata = wire.mapping(self.source.get("metadata"))

        def said(*names: str) -> str:
            return wire.first_text(self.source, *names) or wire.first_text(metadata, *names)

        known = {
            "id": self.id,
            "title": said("title"),
            "lyrics": said("lyric", "prompt"),
            "tags": said("tags"),
            "model": said("model_name", "modelName", "mv"),
        }
        return {name: fact for name, fact in known.items() if fact}

    def assets(self) -> Iterator[Asset]:
        """Its audio, cover and video. The audio's role is `stream` where it is only that."""
        title = wire.text(self.source.get("title")) or None
        metadata = wire.mapping(self.source.get("metadata"))
        duration = wire.positive(self.source.get("duration")) or wire.positive(
            metadata.get("duration")
        )
        files = (
            (AssetType.AUDIO, self.audio, "stream" if self.is_stream else "result"),
            (AssetType.IMAGE, wire.first_address(self.source, *_COVER), "cover"),
            (AssetType.VIDEO, self._video(), "video"),
        )
        for medium, address, role in files:
            if address:
                yield Asset(
                    type=medium,
                    url=address,
                    role=role,
                    upstream_id=self.id or None,
                    duration=None if medium is AssetType.IMAGE else duration,
                    expires_at=signed_until(address),
                    title=title,
                )

    def _video(self) -> str:
        """Suno names the address before the film is made, and says so."""
        pending = self.source.get("is_video_pending") is True
        return "" if pending else wire.first_address(self.source, *_VIDEO)


def read_clip(source: Mapping[str, Any]) -> Clip:
    """The clip in an object; `source` may lack anything."""
    words = (wire.text(source.get(name)).lower() for name in ("status", "state"))
    final = [_usable(source, name) for name in _AUDIO]
    files = [address for address in final if address and not _is_stream(address)]
    streams = [address for address in final if address]
    streams += filter(None, (_usable(source, name) for name in _STREAM))
    return Clip(
        id=fields.first_identifier(source, "id", "clip_id", "clipId"),
        word=next(filter(None, words), ""),
        audio=next(iter(files + streams), ""),
        is_stream=not files,
        source=source,
    )


def is_clip(source: Mapping[str, Any]) -> bool:
    """Whether the object has what only clips have. A clip may name a task, as tasks do."""
    return not _OWN.isdisjoint(source)


def _usable(source: Mapping[str, Any], name: str) -> str:
    address = wire.address(source.get(name))
    return "" if address.endswith("None.mp3") else address


def _is_stream(address: str) -> bool:
    try:
        return (urlsplit(address).hostname or "").startswith("audiopipe.")
    except ValueError:
        return False
