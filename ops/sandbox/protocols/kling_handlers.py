"""Base of Kling's handlers, and the profile of its tasks."""

from collections.abc import Mapping
from typing import Any

from ops.sandbox.dialect import ProtocolRenderer
from ops.sandbox.handlers import ProtocolHandlers, SubmitCall
from ops.sandbox.protocols.kling_envelope import task_data
from ops.sandbox.protocols.kling_requests import CALLS, count_of, prompt_of, seconds_of, value_at
from ops.sandbox.protocols.kling_results import ENDPOINTS
from ops.sandbox.replies import text_of
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import ProviderProfile, SandboxTask, TaskSubmission, View


def callback_body(task: SandboxTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the bare task, as the API that took the submit shows it."""
    return task.submission.details.get("callback_body", task_data)(task, seen)


PROFILE = ProviderProfile(
    provider="kling",
    typical_seconds={
        **{name: endpoint.typical_seconds for name, endpoint in ENDPOINTS.items()},
        **dict.fromkeys(CALLS, 0.0),
    },
    queues=False,
    unique_references=True,
    asset_life_seconds=30 * 24 * 3600.0,
    callback_body=callback_body,
)


class KlingHandlers(ProtocolHandlers[ProtocolRenderer]):
    """Handlers of one renderer; every API of Kling reads a submit as one in v1's form."""

    not_an_object = "request body is not a JSON object"

    def __init__(self, station: SandboxStation, renderer: ProtocolRenderer) -> None:
        super().__init__(station, renderer, PROFILE)

    def read(
        self, call: SubmitCall, operation: str, body: dict[str, Any], **details: object
    ) -> TaskSubmission:
        """The submission in a valid v1 body; it remembers `details` too."""
        return self.submission(
            call.request,
            call.account,
            operation,
            prompt_of(body),
            {**_details(body), **details},
            task_id=f"{self.station.new_number()}00",
            reference=text_of(body, "external_task_id"),
            callback_url=text_of(body, "callback_url"),
        )


def _details(body: dict[str, Any]) -> dict[str, Any]:
    video_id = value_at(body, "video_id") or value_at(body, "input.video_id")
    session = text_of(body, "session_id")
    said = {
        "seconds": seconds_of(body),
        "count": count_of(body),
        "series": body.get("result_type") == "series",
        "watermark": value_at(body, "watermark_info.enabled") is True,
        "name": text_of(body, "voice_name") or text_of(body, "element_name"),
        "session": session,
        "parent": {"parent_video": {"id": video_id, "duration": "5.0"}} if video_id else None,
    }
    return {name: value for name, value in said.items() if value}
