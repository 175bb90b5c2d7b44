"""One way of speaking of Suno: how an order becomes a task, and how a task is found again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import engine
from ops.sandbox.dialect import Refusal
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.suno_renderers import SunoRenderer
from ops.sandbox.protocols.suno_requests import complaint, prompt_of
from ops.sandbox.protocols.suno_songs import SONG_SECONDS, new_task_id, task_id_of
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import Station
from ops.sandbox.tasks import Phase, ProviderProfile, TaskSubmission, UpstreamTask, View

EXAMPLE_TASK = "5a9d0000-0000-4000-8000-000000000010"

#: Which order a body is.
Named = Callable[[Mapping[str, Any]], str]


def callback_body(task: UpstreamTask, seen: View) -> Mapping[str, object]:
    """A callback's body, as the face which took the submit words it."""
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


class SunoHandlers:
    """What all ways of speaking have in common."""

    def __init__(self, station: Station, renderer: SunoRenderer) -> None:
        self.station = station
        self.renderer = renderer

    def submit_route(self, path: str, named: Named) -> SandboxRoute:
        """The door where something is ordered."""

        async def create(request: Request) -> Response:
            return await self.create(request, named)

        return SandboxRoute(path, create, methods=["POST"])

    async def create(self, request: Request, named: Named) -> Response:
        account = self.renderer.authenticate(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return engine.reject_key(self.station, account)
        body = await read_object(request)
        if body is None:
            return self._refuse("unexpected end of JSON input")
        operation = named(body)

        def is_finished(name: str) -> bool:
            return self.finished(request, name, account) is not None

        if wrong := self.complaint(operation, body, is_finished):
            return self._refuse(wrong)
        submission = self.submission(request, account, operation, body)
        return await engine.submit(self.station, self.renderer, submission)

    def complaint(
        self, operation: str, body: Mapping[str, Any], is_finished: Callable[[str], bool]
    ) -> str:
        """What is wrong with a body; "" where nothing is."""
        return complaint(operation, body, is_finished, by_task=self.renderer.by_task)

    def submission(
        self, request: Request, account: str, operation: str, body: dict[str, Any]
    ) -> TaskSubmission:
        prompt = prompt_of(body)
        return TaskSubmission(
            profile=PROFILE,
            task_id=new_task_id(),
            operation=operation,
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference="",
            base_url=base_url(self.station, request),
            callback_url=text_of(body, self.renderer.hook) if self.renderer.hook else "",
            details={
                "renderer": self.renderer,
                "request": body,
                "seconds": SONG_SECONDS,
                "asked": {},
            },
        )

    def find(self, request: Request, name: str, account: str) -> UpstreamTask | None:
        """The task that a task's or a song's id leads to, if it is this account's."""
        task_id = task_id_of(name)
        task = self.station.task_store.get(task_id)
        if task_id == EXAMPLE_TASK:
            return task or self._example(request)
        if task is None or task.submission.profile is not PROFILE:
            return None
        return task if task.submission.account == account else None

    def finished(self, request: Request, name: str, account: str) -> UpstreamTask | None:
        """The same, where it ended well."""
        task = self.find(request, name, account)
        ended = task is not None and self.station.view(task).phase is Phase.SUCCEEDED
        return task if ended else None

    async def look(self, request: Request, name: str, renderer: SunoRenderer) -> Response:
        account = renderer.authenticate(request.headers, self.station.config, submits=False)
        if isinstance(account, Response):
            return account
        return await engine.look(self.station, renderer, self.find(request, name, account))

    def _refuse(self, message: str) -> Response:
        return engine.refuse(self.station, Refusal.INVALID, self.renderer.invalid(message))

    def _example(self, request: Request) -> UpstreamTask:
        """Two songs that were finished before anybody asked, and that nobody paid."""
        submission = self.submission(
            request, "", "music", {"prompt": "an example", "title": "Example"}
        )
        now = self.station.clock.now()
        task = UpstreamTask(replace(submission, task_id=EXAMPLE_TASK), now, 0.0)
        task.end(now)
        self.station.task_store.add(task, now, self.station.config.tasks_kept)
        return task
