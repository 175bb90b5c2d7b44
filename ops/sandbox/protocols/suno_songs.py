"""Suno's songs and lyrics: their ids and their forms.

A task's id ends in 0 and those of its songs end in 1 and 2, so each of them leads to the task.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from ops.sandbox.knobs import Knob
from ops.sandbox.links import plain_url
from ops.sandbox.tasks import Phase, SandboxTask, View

#: Duration of every song in seconds.
SONG_SECONDS = 60.0
#: Operations that make one song; all others make two.
ONE_SONG = frozenset({"concat", "upload"})
#: Operations that make lyrics or a file, and no song.
NO_SONG = frozenset({"lyrics", "wav", "mp4"})

MODERATED = "Your prompt contained artist name: sandbox"
WORDS = (
    "[Verse]\nSand in the box, a song in the sand\n[Chorus]\nNothing was paid and nothing planned"
)

_TASK_STATUS = {
    Phase.QUEUED: "NOT_START",
    Phase.SUBMITTED: "SUBMITTED",
    Phase.RUNNING: "IN_PROGRESS",
    Phase.UNKNOWN: "MARINATING",
    Phase.SUCCEEDED: "SUCCESS",
    Phase.FAILED: "FAILURE",
    Phase.MODERATED: "FAILURE",
    Phase.CANCELED: "FAILURE",
}
_SONG_STATUS = {
    Phase.QUEUED: "submitted",
    Phase.SUBMITTED: "queued",
    Phase.RUNNING: "streaming",
    Phase.UNKNOWN: "marinating",
    Phase.SUCCEEDED: "complete",
    Phase.FAILED: "error",
    Phase.MODERATED: "error",
    Phase.CANCELED: "error",
}
#: The phases in which a song can be streamed before it is finished.
_HEARD = (Phase.RUNNING, Phase.UNKNOWN)


def new_task_id() -> str:
    """A task id whose last digit is free for the ids of its songs."""
    return str(UUID(uuid4().hex[:-1] + "0"))


def task_id_of(name: str) -> str:
    """The id of the task that the id of a task or a song belongs to."""
    return f"{name[:-1]}0"


def song_ids(task: SandboxTask) -> list[str]:
    """The ids of the songs that the task makes."""
    count = (
        0
        if task.submission.operation in NO_SONG
        else 1
        if task.submission.operation in ONE_SONG
        else 2
    )
    return [f"{task.id[:-1]}{number}" for number in range(1, count + 1)]


def reason(task: SandboxTask, seen: View) -> str:
    """The reason why the task failed; "" unless it did."""
    match seen.phase:
        case Phase.FAILED:
            return task.failure
        case Phase.MODERATED:
            return MODERATED
        case _:
            return ""


def task_object(task: SandboxTask, seen: View) -> dict[str, object]:
    """The task as relays store it. Stock relays report 0 % until its end."""
    ended = seen.finished_at is not None
    return {
        "task_id": task.id,
        "notify_hook": task.submission.callback_url,
        "action": "LYRICS" if task.submission.operation == "lyrics" else "MUSIC",
        "status": _TASK_STATUS[seen.phase],
        "fail_reason": reason(task, seen),
        "submit_time": int(task.created_at),
        "start_time": int(seen.started_at or 0),
        "finish_time": int(seen.finished_at or 0),
        "progress": "100%" if ended else "0%",
        "data": None if seen.phase is Phase.QUEUED else result(task, seen),
    }


def result(task: SandboxTask, seen: View) -> object:
    """The task's result so far: songs, or the object with the lyrics."""
    return words(task, seen) if task.submission.operation == "lyrics" else songs(task, seen)


def words(task: SandboxTask, seen: View) -> dict[str, object]:
    """The lyrics; empty until the task has succeeded."""
    written = seen.phase is Phase.SUCCEEDED and not task.submission.knobs.has(Knob.NO_URL)
    status = _SONG_STATUS[seen.phase]
    return {
        "id": task.id,
        "text": WORDS if written else "",
        "title": "Sand" if written else "",
        "status": "running" if status in ("streaming", "queued") else status,
        "error_message": reason(task, seen),
    }


def songs(task: SandboxTask, seen: View) -> list[dict[str, object]]:
    """Each song of the task."""
    return [_song(task, seen, song_id) for song_id in song_ids(task)]


def records(task: SandboxTask, seen: View) -> list[dict[str, object]]:
    """Each song of the task in the official style."""
    unheard = task.submission.knobs.has(Knob.NO_URL)
    return [
        {
            "id": song["id"],
            "audioUrl": song["audio_url"] if seen.phase is Phase.SUCCEEDED else "",
            "streamAudioUrl": "" if unheard else _stream_url(str(song["id"])),
            "imageUrl": song["image_url"],
            "prompt": task.submission.prompt,
            "modelName": song["model_name"],
            "title": song["title"],
            "tags": "",
            "createTime": int(task.created_at * 1000),
            "duration": SONG_SECONDS if seen.phase is Phase.SUCCEEDED else None,
        }
        for song in songs(task, seen)
    ]


def file_url(task: SandboxTask, name: str) -> str:
    """The URL of one of the task's files; "" with the knob `no-url`."""
    return "" if task.submission.knobs.has(Knob.NO_URL) else plain_url(task, name)


def aligned_words() -> list[dict[str, object]]:
    """The time at which each word of a song is sung: one a second."""
    return [
        {"word": f"{word} ", "success": True, "start_s": at + 0.0, "end_s": at + 0.9, "p_align": 1}
        for at, word in enumerate(WORDS.split())
    ]


def instruments() -> Sequence[Mapping[str, object]]:
    """The notes of a song."""
    return [
        {"name": "Bass", "notes": [{"pitch": 40, "start": 0.0, "end": 1.0, "velocity": 0.8}]},
        {"name": "Piano", "notes": []},
    ]


def _song(task: SandboxTask, seen: View, song_id: str) -> dict[str, object]:
    done = seen.phase is Phase.SUCCEEDED
    request: Mapping[str, Any] = task.submission.details["request"]
    failed = bool(reason(task, seen))
    streamed = _stream_url(song_id) if seen.phase in _HEARD else ""
    return {
        "id": song_id,
        "title": request.get("title") or "Sand",
        "status": _SONG_STATUS[seen.phase],
        "metadata": {
            "tags": request.get("tags") or "",
            "prompt": request.get("prompt") or WORDS,
            "type": "concat" if task.submission.operation == "concat" else "gen",
            "duration": SONG_SECONDS if done else None,
            "error_type": "moderation_failure" if seen.phase is Phase.MODERATED else None,
            "error_message": reason(task, seen) if failed else None,
            "gpt_description_prompt": request.get("gpt_description_prompt"),
        },
        "audio_url": file_url(task, f"{song_id}.mp3") if done else streamed,
        "image_url": file_url(task, f"image_{song_id}.png") if done else "",
        "image_large_url": file_url(task, f"image_large_{song_id}.png") if done else "",
        "video_url": file_url(task, f"{song_id}.mp4") if done else "",
        "is_video_pending": not done,
        "model_name": request.get("mv") or "chirp-v3-0",
        "created_at": datetime.fromtimestamp(task.created_at, UTC).isoformat(),
    }


def _stream_url(song_id: str) -> str:
    """The URL at which Suno streams an unfinished song. The sandbox does not serve it."""
    return f"https://audiopipe.suno.ai/?item_id={song_id}"
