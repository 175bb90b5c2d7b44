"""The `task_result` of each Kling operation in v1; the sandbox serves the files."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ops.sandbox.knobs import Knob
from ops.sandbox.links import plain_url
from ops.sandbox.tasks import SandboxTask

Result = dict[str, object]
Entry = dict[str, object]


class KlingTaskEndpoint(NamedTuple):
    """One operation: its path, its duration, its result."""

    path: str
    typical_seconds: float
    result: Callable[[SandboxTask], Result]
    #: Whether relays that pass on the API offer it.
    relayed: bool = False


def file_url(task: SandboxTask, name: str) -> str:
    """The URL of one of the task's files; "" with the knob `no-url`."""
    return "" if task.submission.knobs.has(Knob.NO_URL) else plain_url(task, name)


def length(task: SandboxTask) -> str:
    """The duration of its files, as Kling writes it."""
    return f"{float(task.submission.details['seconds']):.1f}"


def videos(task: SandboxTask) -> Result:
    """One video, with a watermarked copy if the submit asked for one."""
    video: Entry = {
        "id": f"{task.id}-0",
        "url": file_url(task, "0.mp4"),
        "duration": length(task),
    }
    if task.submission.details.get("watermark"):
        video["watermark_url"] = file_url(task, "0-watermarked.mp4")
    if session := task.submission.details.get("session"):
        video["session_id"] = session
    return {"videos": [video]}


def images(task: SandboxTask) -> Result:
    """As many pictures as the submit asked for; those of a series have their own field."""
    name = "series_images" if task.submission.details.get("series") else "images"
    count = task.submission.details.get("count", 1)
    return {name: [{"index": i, "url": file_url(task, f"{i}.png")} for i in range(count)]}


def views(task: SandboxTask) -> Result:
    """Three views of one object, in one entry."""
    urls = {f"url_{i}": file_url(task, f"{i}.png") for i in (1, 2, 3)}
    return {"images": [{"index": 0, **urls}]}


def sounds(task: SandboxTask) -> Result:
    """A sound in two encodings."""
    lengths = {f"duration_{kind}": length(task) for kind in ("mp3", "wav")}
    urls = {f"url_{kind}": file_url(task, f"0.{kind}") for kind in ("mp3", "wav")}
    return {"audios": [{"id": f"{task.id}-a", **urls, **lengths}]}


def speech(task: SandboxTask) -> Result:
    """A sound in one encoding."""
    url = file_url(task, "0.mp3")
    return {"audios": [{"id": f"{task.id}-a", "url": url, "duration": length(task)}]}


def scored_video(task: SandboxTask) -> Result:
    """A video with sound, and the sound."""
    return {**videos(task), **sounds(task)}


def voices(task: SandboxTask) -> Result:
    """A voice and its sample."""
    name = task.submission.details.get("name", "")
    trial = file_url(task, "trial.mp3")
    voice: Entry = {"voice_id": f"{task.id}1", "voice_name": name, "trial_url": trial}
    return {"voices": [{**voice, "owned_by": "1001"}]}


def elements(task: SandboxTask) -> Result:
    """An element, which has an id and no file."""
    name = task.submission.details.get("name", "")
    return {"elements": [{"element_id": int(task.id), "element_name": name, "status": "succeed"}]}


ENDPOINTS: Mapping[str, KlingTaskEndpoint] = {
    "text2video": KlingTaskEndpoint("/v1/videos/text2video", 319.0, videos, relayed=True),
    "image2video": KlingTaskEndpoint("/v1/videos/image2video", 164.0, videos, relayed=True),
    "multi_image2video": KlingTaskEndpoint(
        "/v1/videos/multi-image2video", 319.0, videos, relayed=True
    ),
    "omni_video": KlingTaskEndpoint("/v1/videos/omni-video", 319.0, videos, relayed=True),
    "motion_control": KlingTaskEndpoint("/v1/videos/motion-control", 319.0, videos),
    "video_extend": KlingTaskEndpoint("/v1/videos/video-extend", 320.0, videos, relayed=True),
    "lip_sync": KlingTaskEndpoint("/v1/videos/lip-sync", 455.0, videos, relayed=True),
    "advanced_lip_sync": KlingTaskEndpoint("/v1/videos/advanced-lip-sync", 455.0, videos),
    "effects": KlingTaskEndpoint("/v1/videos/effects", 320.0, videos, relayed=True),
    "avatar": KlingTaskEndpoint("/v1/videos/avatar/image2video", 455.0, videos, relayed=True),
    "multi_elements": KlingTaskEndpoint("/v1/videos/multi-elements", 320.0, videos),
    "image_generation": KlingTaskEndpoint("/v1/images/generations", 32.0, images, relayed=True),
    "omni_image": KlingTaskEndpoint("/v1/images/omni-image", 32.0, images),
    "multi_image2image": KlingTaskEndpoint("/v1/images/multi-image2image", 32.0, images),
    "expand": KlingTaskEndpoint("/v1/images/editing/expand", 32.0, images),
    "virtual_try_on": KlingTaskEndpoint(
        "/v1/images/kolors-virtual-try-on", 19.0, images, relayed=True
    ),
    "ai_multi_shot": KlingTaskEndpoint("/v1/general/ai-multi-shot", 32.0, views),
    "text_to_audio": KlingTaskEndpoint("/v1/audio/text-to-audio", 45.0, sounds),
    "video_to_audio": KlingTaskEndpoint("/v1/audio/video-to-audio", 90.0, scored_video),
    "custom_voice": KlingTaskEndpoint("/v1/general/custom-voices", 45.0, voices),
    "custom_element": KlingTaskEndpoint("/v1/general/advanced-custom-elements", 45.0, elements),
}
