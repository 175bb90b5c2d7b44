"""The actions of stations on a finished song: files, timing, notes, personas, styles.

None of them creates a task or is charged. Callers repeat the request for a file until it exists.
"""

from uuid import NAMESPACE_URL, uuid5

from starlette.responses import Response

from ops.sandbox.protocols.suno_songs import (
    SONG_SECONDS,
    aligned_words,
    file_url,
    instruments,
)
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import SandboxTask

#: Sandbox seconds from the first request for a file until it exists.
MAKING_SECONDS = 10.0

KINDS = ("wav", "mp4", "timing", "midi")


def act(kind: str, task: SandboxTask, song_id: str, now: float) -> Response:
    """The response to one of `KINDS` for a song."""
    asked: dict[str, float] = task.submission.details["asked"]
    made = now >= asked.setdefault(f"{kind} {song_id}", now) + MAKING_SECONDS
    match kind:
        case "wav":
            return json_reply({"wav_file_url": file_url(task, f"{song_id}.wav") if made else ""})
        case "mp4":
            return json_reply({"video_url": file_url(task, f"{song_id}.mp4") if made else ""})
        case "midi" if not made:
            return json_reply({"state": "running"})
        case "midi":
            return json_reply({"state": "complete", "instruments": instruments()})
        case _:
            return json_reply(
                {
                    "aligned_words": aligned_words(),
                    "waveform_data": [0.0] * int(SONG_SECONDS),
                    "hoot_cer": 0.0,
                    "is_streamed": False,
                }
            )


def persona(body: dict[str, object]) -> Response:
    """A persona; its id is derived from its name and song."""
    root = str(body.get("root_clip_id"))
    name = str(body.get("name"))
    about = {"name": name, "description": body.get("description"), "root_clip_id": root}
    return json_reply({"id": str(uuid5(NAMESPACE_URL, f"{root} {name}")), **about})


def longer_tags(body: dict[str, object]) -> Response:
    """A longer style."""
    tags = f"{body.get('original_tags')}, with sand in its shoes and wind in its hair"
    return json_reply({"upsampled_tags": tags, "request_id": str(uuid5(NAMESPACE_URL, tags))})
