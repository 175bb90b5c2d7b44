"""Kling's calls that return their result at once, and its library of voices and elements.

Calls that cost go through the engine, so knobs and ledger apply to them; lists and deletions are
free. Any id is accepted: no session, video or voice of that name need exist.
"""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import engine
from ops.sandbox.dialect import ProtocolRenderer
from ops.sandbox.handlers import SubmitCall
from ops.sandbox.protocols.kling_envelope import KlingRenderer, success, task_data
from ops.sandbox.protocols.kling_handlers import KlingHandlers
from ops.sandbox.protocols.kling_requests import CALLS
from ops.sandbox.protocols.kling_results import file_url
from ops.sandbox.replies import text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import SandboxTask, TaskSubmission

_SIZE = (720, 1280)
_FACE_KINDS = ("object_seg", "head_seg", "face_seg", "cloth_seg")


class KlingCallRenderer(KlingRenderer):
    """Renders a submit whose response holds the result."""

    def __init__(self, station: SandboxStation, body: dict[str, Any]) -> None:
        self._station = station
        self._body = body

    def accepted(self, task: SandboxTask, place: int) -> Response:
        answer = _ANSWERS.get(task.submission.operation)
        if answer is None:
            return success(task_data(task, self._station.view(task)))
        return success({**answer(task, self._body), "final_unit_deduction": "0.1"})


def _faces(task: SandboxTask, body: dict[str, Any]) -> dict[str, object]:
    face = {"face_id": "0", "face_image": file_url(task, "0.png"), "start_time": 0}
    return {"session_id": task.id, "face_data": [{**face, "end_time": 5000}]}


def _opened(task: SandboxTask, body: dict[str, Any]) -> dict[str, object]:
    video = {"fps": 30.0, "original_duration": 5000, "total_frame": 150}
    size = {"width": _SIZE[0], "height": _SIZE[1]}
    url = file_url(task, "normalized.mp4")
    return {"status": 0, "session_id": task.id, **video, **size, "normalized_video": url}


def _marked(task: SandboxTask, body: dict[str, Any]) -> dict[str, object]:
    mask = {"object_id": 0, "rle_mask": {"size": list(_SIZE), "counts": "PYZ1"}}
    frame = {"frame_index": body.get("frame_index", 0), "rle_mask_list": [mask]}
    return {**_in_session(task, body), "res": frame}


def _in_session(task: SandboxTask, body: dict[str, Any]) -> dict[str, object]:
    return {"status": 0, "session_id": text_of(body, "session_id")}


def _shown(task: SandboxTask, body: dict[str, Any]) -> dict[str, object]:
    urls = {"video": file_url(task, "preview.mp4"), "video_cover": file_url(task, "cover.png")}
    mask = {"tracking_output": file_url(task, "mask.mp4")}
    return {**_in_session(task, body), "res": {**urls, **mask}}


def _cut_outs(task: SandboxTask, body: dict[str, Any]) -> dict[str, object]:
    found = [
        {"type": kind, "is_contain": True, "url": file_url(task, f"{kind}.png")}
        for kind in _FACE_KINDS
    ]
    return {"task_result": {"images": found}}


#: Speech is missing here: its response is a finished task.
_ANSWERS: dict[str, Callable[[SandboxTask, dict[str, Any]], dict[str, object]]] = {
    "identify_face": _faces,
    "init_selection": _opened,
    "add_selection": _marked,
    "delete_selection": _marked,
    "clear_selection": _in_session,
    "preview_selection": _shown,
    "image_recognize": _cut_outs,
}
_PATHS = {
    "identify_face": "/v1/videos/identify-face",
    "init_selection": "/v1/videos/multi-elements/init-selection",
    "add_selection": "/v1/videos/multi-elements/add-selection",
    "delete_selection": "/v1/videos/multi-elements/delete-selection",
    "clear_selection": "/v1/videos/multi-elements/clear-selection",
    "preview_selection": "/v1/videos/multi-elements/preview-selection",
    "image_recognize": "/v1/videos/image-recognize",
    "tts": "/v1/audio/tts",
}


def call_routes(station: SandboxStation, renderer: ProtocolRenderer) -> Sequence[SandboxRoute]:
    """The routes of all calls and of the library."""
    handlers = KlingCallHandlers(station, renderer)
    return (
        *(handlers.call_route(operation, path) for operation, path in _PATHS.items()),
        handlers.library_route("/v1/general/presets-voices", "GET", _preset_voices),
        handlers.library_route("/v1/general/advanced-presets-elements", "GET", _preset_elements),
        handlers.library_route("/v1/general/delete-voices", "POST", _deleted),
        handlers.library_route("/v1/general/delete-elements", "POST", _deleted),
    )


class KlingCallHandlers(KlingHandlers):
    """Submits whose response holds the result, and the library."""

    not_an_object = "the body is no JSON object"

    def call_route(self, operation: str, path: str) -> SandboxRoute:
        """The route of one call."""

        def read(call: SubmitCall) -> TaskSubmission | Response:
            complaint = CALLS[operation].complaint(call.body)
            if complaint is not None:
                return self.renderer.invalid(complaint)
            return self.read(call, operation, call.body)

        return self.submit_route(path, read)

    async def create(self, call: SubmitCall, submission: TaskSubmission) -> Response:
        renderer = KlingCallRenderer(self.station, call.body)
        return await engine.submit(self.station, renderer, submission, self._create_ended)

    def _create_ended(self, submission: TaskSubmission) -> tuple[SandboxTask, int] | None:
        """Create a task that ends at once, whatever its knobs and the settings say."""
        created = self.station.create(submission)
        if created is not None:
            self.station.end(created[0])
        return created

    def library_route(
        self, path: str, method: str, data: Callable[[SandboxStation], object]
    ) -> SandboxRoute:
        """A free route that answers with `data`."""

        async def answer(request: Request, account: str) -> Response:
            del request, account
            return success(data(self.station))

        return self.account_route(path, answer, method)


def _preset_voices(station: SandboxStation) -> object:
    names = (("oversea_male1", "calm"), ("oversea_female1", "bright"))
    voices = [
        {"voice_id": i, "voice_name": n, "trial_url": "", "owned_by": "kling"} for i, n in names
    ]
    return [
        {"task_id": str(number), "task_status": "succeed", "task_result": {"voices": [voice]}}
        for number, voice in enumerate(voices)
    ]


def _preset_elements(station: SandboxStation) -> object:
    return [{"element_id": 160, "element_name": "the lamp", "owned_by": "kling"}]


def _deleted(station: SandboxStation) -> object:
    return {"task_id": f"{station.new_number()}00", "task_status": "succeed"}
