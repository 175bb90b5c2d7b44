"""What an answer is about: a task around a result, or a result that comes without one.

Relays wrap the songs in a task; a Suno-API spoken to directly, and every feed, shows the songs
alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from generation.contract.reply import Reply
from generation.providers.kit import json_reader as wire
from generation.providers.suno import fields
from generation.providers.suno.clips import Clip, is_clip, read_clip

#: The flag of a conversion, where it is a number.
_FLAGS = {"0": "pending", "1": "success", "2": "create_task_failed", "3": "failed"}

#: What only a task has. A song may have a `task_id` and a `status` too.
_TASK_FIELDS = frozenset(
    {"task_id", "taskId", "fail_reason", "submit_time", "finish_time", "search_item", "successFlag"}
)

#: A song whose task is done leaves the live stream within this, or never.
_STREAM_LASTS = timedelta(seconds=60)
#: The same, seen from the submit, where nobody says when the task was done.
_SONG_LASTS = timedelta(minutes=10)

#: From here on a time is in milliseconds.
_MILLISECONDS_FROM = 1e11
_LATEST_TIME = 4e9


@dataclass(frozen=True, slots=True)
class Found:
    """The task, or the bare result, in an answer."""

    #: The task; empty where the result came without one.
    task: Mapping[str, Any]
    #: Songs, words or a file, as they came.
    result: Any

    @property
    def id(self) -> str:
        return fields.first_identifier(self.task, "task_id", "taskId")

    @property
    def word(self) -> str:
        """The status word in the upstream's spelling; "" where there is none."""
        flag = wire.text(self.task.get("successFlag"))
        return wire.first_text(self.task, "status", "state") or _FLAGS.get(flag, flag)

    @property
    def clips(self) -> tuple[Clip, ...]:
        return tuple(map(read_clip, wire.one_or_more(self.result)))

    def complaint(self) -> tuple[str, str]:
        """Return why it failed, and the service's own word for that kind of failure.

        The reason is the task's, or that of its first song with one.
        """
        own = wire.first_text(self.task, "fail_reason", "errorMessage", "error_message")
        told = [clip.complaint for clip in self.clips]
        reasons = [own, *(reason for reason, _ in told), wire.text(self.task.get("message"))]
        sensitive = self.word if "sensitive" in self.word.lower() else ""
        kinds = [sensitive, wire.text(self.task.get("errorCode")), *(kind for _, kind in told)]
        return next(filter(None, reasons), ""), next(filter(None, kinds), "")

    def is_settled(self, reply: Reply) -> bool | None:
        """Return whether a song that is a live stream will stay one; None if unknown.

        The answer's own `Date` is the clock.
        """
        now = _date(reply.headers.get("date", ""))
        if now is None:
            return None
        ends = [_moment(self.task.get(name)) for name in ("finish_time", "completeTime")]
        if finished := next(filter(None, ends), None):
            return now - finished > _STREAM_LASTS
        names = ("start_time", "submit_time", "createTime")
        begun = [_moment(self.task.get(name)) for name in names]
        begun += [clip.created_at for clip in self.clips]
        known = [moment for moment in begun if moment]
        return now - min(known) > _SONG_LASTS if known else None


def find_task(value: Any) -> Found | None:
    """What an answer is about; None where it is about nothing we know. A list is of songs."""
    if isinstance(value, list):
        songs = wire.one_or_more(value)
        return Found(wire.EMPTY, list(songs)) if songs else None
    source = wire.mapping(value)
    if is_task(source):
        return Found(source, _result_of(source))
    return Found(wire.EMPTY, source) if source else None


def is_task(source: Mapping[str, Any]) -> bool:
    """Whether the object is a task around a result, and not the result itself."""
    if is_clip(source):
        return False
    wraps = "status" in source and not {"data", "response"}.isdisjoint(source)
    return wraps or not _TASK_FIELDS.isdisjoint(source)


def _result_of(task: Mapping[str, Any]) -> Any:
    """What a task wraps: songs, words or a file."""
    result = fields.unpacked(task.get("data"))
    if result is None:
        result = fields.unpacked(task.get("response"))
        inside = wire.mapping(result)
        return inside.get("sunoData") or inside.get("data") or result
    # A generation, which is a wrapping of its own around its songs.
    return wire.mapping(result).get("clips") or result


def _moment(value: Any) -> datetime | None:
    """A time in seconds, or in milliseconds, as some stations have it; 0 is none."""
    seconds = wire.positive(value)
    if seconds and seconds > _MILLISECONDS_FROM:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < _LATEST_TIME else None


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
