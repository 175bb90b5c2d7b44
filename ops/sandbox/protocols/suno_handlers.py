"""Base of Suno's handlers, and the profile of its tasks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox.handlers import ProtocolHandlers, SubmitCall
from ops.sandbox.protocols.suno_renderers import SunoRenderer
from ops.sandbox.protocols.suno_requests import complaint, prompt_of
from ops.sandbox.protocols.suno_songs import SONG_SECONDS, new_task_id, task_id_of
from ops.sandbox.replies import text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import ProviderProfile, SandboxTask, TaskSubmission, View

EXAMPLE_TASK = "5a9d0000-0000-4000-8000-000000000010"

#: Returns the operation that a body asks for.
Named = Callable[[Mapping[str, Any]], str]


def callback_body(task: SandboxTask, seen: View) -> Mapping[str, object]:
    """A callback's body, in the form of the renderer that took the submit."""
    renderer: SunoRenderer = task.submission.details["renderer"]
    return renderer.callback_body(task, seen)


PROFILE = ProviderProfile(
    provider="suno",
    typical_seconds={
        **dict.fromkeys(
            ("music", "extend", "concat", "cover", "infill", "persona_music", "stems"), 100.0
        ),
        "lyrics": 6.0,
        **dict.fromkeys(("upload", "wav", "mp4"), 30.0),
    },
    queues=False,
    unique_references=False,
    asset_life_seconds=365 * 24 * 3600.0,
    callback_body=callback_body,
)


class SunoHandlers(ProtocolHandlers[SunoRenderer]):
    """Base of the handlers of all of Suno's APIs."""

    not_an_object = "unexpected end of JSON input"

    def __init__(self, station: SandboxStation, renderer: SunoRenderer) -> None:
        super().__init__(station, renderer, PROFILE)

    def operation_route(self, path: str, named: Named | str) -> SandboxRoute:
        """The route that takes submits of one operation, or of the one that `named` returns."""

        def read(call: SubmitCall) -> TaskSubmission | Response:
            operation = named if isinstance(named, str) else named(call.body)

            def is_finished(name: str) -> bool:
                return self.finished(call.request, name, call.account) is not None

            if wrong := self.complaint(operation, call.body, is_finished):
                return self.renderer.invalid(wrong)
            return self.read(call.request, call.account, operation, call.body)

        return self.submit_route(path, read)

    def complaint(
        self, operation: str, body: Mapping[str, Any], is_finished: Callable[[str], bool]
    ) -> str:
        """The first error in a body; "" for a valid one."""
        return complaint(operation, body, is_finished, by_task=self.renderer.by_task)

    def read(
        self, request: Request, account: str, operation: str, body: dict[str, Any]
    ) -> TaskSubmission:
        """The submission in a valid body."""
        hook = text_of(body, self.renderer.hook) if self.renderer.hook else ""
        details = {"request": body, "seconds": SONG_SECONDS, "asked": {}}
        prompt, task_id = prompt_of(body), new_task_id()
        return self.submission(
            request, account, operation, prompt, details, task_id=task_id, callback_url=hook
        )

    def find(self, request: Request, name: str, account: str) -> SandboxTask | None:
        """The account's task that the id of a task or of a song belongs to; or the example."""
        task_id = task_id_of(name)
        if task_id == EXAMPLE_TASK:
            return self.station.task_store.get(task_id) or self._example(request)
        return super().find(request, task_id, account)

    def owns(self, task: SandboxTask, account: str) -> bool:
        """Whether the account submitted it, through any of Suno's APIs."""
        return task.submission.profile is PROFILE and task.submission.account == account

    def _example(self, request: Request) -> SandboxTask:
        """Two finished songs that no caller submitted or paid."""
        body = {"prompt": "an example", "title": "Example"}
        submission = replace(self.read(request, "", "music", body), task_id=EXAMPLE_TASK)
        return self.station.add_finished(submission)
