"""The profile of Midjourney's tasks, and the body of their callbacks."""

from collections.abc import Mapping

from ops.sandbox.protocols.midjourney_renderers import MidjourneyRenderer
from ops.sandbox.protocols.midjourney_task import task_object
from ops.sandbox.tasks import ProviderProfile, SandboxTask, View

#: The operation of an imagine under each speed mode's prefix; polls are the same under all of them.
IMAGINES = {
    "": "imagine",
    "/mj-fast": "imagine",
    "/mj-relax": "imagine.relax",
    "/mj-turbo": "imagine.turbo",
}


def callback_body(task: SandboxTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task object of the renderer that took the submit."""
    renderer: MidjourneyRenderer = task.submission.details["renderer"]
    return task_object(task, seen, renderer.url_secret, renderer.blank)


PROFILE = ProviderProfile(
    provider="midjourney",
    typical_seconds={
        "imagine": 40.0,
        "imagine.relax": 240.0,
        "imagine.turbo": 20.0,
        "blend": 40.0,
        "describe": 10.0,
        "shorten": 10.0,
        "action": 15.0,
        "change": 15.0,
        "edits": 40.0,
        "retexture": 40.0,
        "video": 60.0,
        "swap_face": 20.0,
    },
    queues=True,
    unique_references=False,
    asset_life_seconds=24 * 3600.0,
    callback_body=callback_body,
)
