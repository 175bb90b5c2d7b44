"""Luma's protocols: the Dream Machine API, the Agents API, and the form relays give it.

None carries a reference of the caller's own, so the ledger knows each task by its own id. The
generations that examples name exist for everybody, so that follow-ups can be tried alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import engine
from ops.sandbox.dialect import Refusal
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.luma_renderers import (
    LumaAgentsRenderer,
    LumaDreamMachineRenderer,
    LumaRelayRenderer,
    LumaRenderer,
)
from ops.sandbox.protocols.luma_requests import (
    AGENTS,
    AUDIO,
    IMAGE,
    MODIFY_VIDEO,
    REFRAME_IMAGE,
    REFRAME_VIDEO,
    RELAY_EXTEND,
    RELAY_VIDEO,
    TYPES,
    UPSCALE,
    VIDEO,
    LumaSubmitForm,
    operation_of,
    prompt_of,
    seconds_of,
)
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import Station
from ops.sandbox.tasks import Phase, ProviderProfile, TaskSubmission, UpstreamTask, View

EXAMPLES = frozenset(
    {"123e4567-e89b-12d3-a456-426614174000", "4665a07c-7641-4809-a133-10786201bb56"}
)
#: Of a list, with what it is where nothing is said.
PAGE = (("limit", "100"), ("offset", "0"))
_VIDEO_SECONDS = 105.0
_IMAGE_SECONDS = 20.0


def callback_body(task: UpstreamTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task as the face which took the submit shows it."""
    renderer: LumaRenderer = task.submission.details["renderer"]
    return renderer.task(task, seen)


PROFILE = ProviderProfile(
    provider="luma",
    typical_seconds={
        **dict.fromkeys(("video", "extend", "reverse_extend", "interpolate"), _VIDEO_SECONDS),
        **dict.fromkeys(("reframe_video", "modify_video", "upscale"), _VIDEO_SECONDS),
        **dict.fromkeys(("image", "image_edit", "reframe_image"), _IMAGE_SECONDS),
        "audio": 60.0,
    },
    queues=False,
    unique_references=False,
    asset_life_seconds=365 * 24 * 3600.0,
    callback_body=callback_body,
)
#: The Agents API signs its files for an hour.
AGENTS_PROFILE = replace(PROFILE, asset_life_seconds=3600.0)


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint, each dialect under its own root."""
    dream = LumaHandlers(station, LumaDreamMachineRenderer(), PROFILE).routes("/dream-machine/v1")
    agents = LumaAgentsHandlers(station, LumaAgentsRenderer(), AGENTS_PROFILE).routes("/v1")
    return [
        *dream,
        *agents,
        *LumaRelayHandlers(station, LumaRelayRenderer(), PROFILE).routes("/luma"),
    ]


class LumaHandlers:
    """The endpoints of one face: those of Dream Machine, unless a subclass says otherwise."""

    def __init__(self, station: Station, renderer: LumaRenderer, profile: ProviderProfile) -> None:
        self._station = station
        self._renderer = renderer
        self._profile = profile

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every endpoint; what is looked at most comes first."""
        creates = {
            "/video": VIDEO,
            "": VIDEO,
            "/image": IMAGE,
            "/image/reframe": REFRAME_IMAGE,
            "/video/reframe": REFRAME_VIDEO,
            "/video/modify": MODIFY_VIDEO,
            "/{name}/upscale": UPSCALE,
            "/{name}/audio": AUDIO,
        }
        return (
            SandboxRoute(f"{root}/generations/{{name}}", self.query),
            SandboxRoute(f"{root}/generations", self.page),
            *(
                self.submit_route(f"{root}/generations{path}", each)
                for path, each in creates.items()
            ),
        )

    def submit_route(self, path: str, endpoint: LumaSubmitForm) -> SandboxRoute:
        """The door where one kind of task is ordered."""

        async def create(request: Request) -> Response:
            return await self.create(request, endpoint)

        return SandboxRoute(path, create, methods=["POST"])

    async def create(self, request: Request, endpoint: LumaSubmitForm) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=True)
        if isinstance(account, Response):
            return engine.reject_key(self._station, account)
        body = await read_object(request)
        if body is None:
            reply = self._renderer.invalid("Input should be a valid dictionary")
            return engine.refuse(self._station, Refusal.INVALID, reply)
        followed = request.path_params.get("name")

        def is_finished(name: str) -> bool:
            task = self.find(request, name, account)
            return task is not None and self._station.view(task).phase is Phase.SUCCEEDED

        if followed is not None and not is_finished(followed):
            return engine.refuse(self._station, Refusal.INVALID, self._renderer.not_found())
        complaint = endpoint.complaint(body, is_finished)
        if complaint is not None:
            return engine.refuse(self._station, Refusal.INVALID, self._renderer.invalid(complaint))
        submission = self.submission(request, account, body, endpoint)
        return await engine.submit(self._station, self._renderer, submission)

    async def query(self, request: Request) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self.find(request, request.path_params["name"], account)
        return await engine.look(self._station, self._renderer, task)

    async def page(self, request: Request) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        limit, offset = (request.query_params.get(*each) for each in PAGE)
        if not (limit.isdecimal() and offset.isdecimal()):
            return self._renderer.invalid("limit and offset are numbers")
        task_store = self._station.task_store.newest()
        ours = (task for task in task_store if self.find(request, task.id, account) is task)
        tasks = [*islice(ours, int(offset), int(offset) + int(limit))]
        return await engine.list_tasks(self._station, self._renderer, tasks, self._renderer.several)

    def submission(
        self, request: Request, account: str, body: dict[str, Any], endpoint: LumaSubmitForm
    ) -> TaskSubmission:
        prompt = prompt_of(body)
        return TaskSubmission(
            profile=self._profile,
            task_id=str(uuid4()),
            operation=operation_of(endpoint, body),
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference="",
            base_url=base_url(self._station, request),
            callback_url=text_of(body, "callback_url") or text_of(body, "notify_hook"),
            details={
                "renderer": self._renderer,
                "model": text_of(body, "model"),
                "type": text_of(body, "type"),
                "request": body,
                "seconds": seconds_of(body),
            },
        )

    def find(self, request: Request, name: str, account: str) -> UpstreamTask | None:
        """The task, if it is this account's and was ordered at this face; or an example."""
        task = self._station.task_store.get(name)
        if name in EXAMPLES:
            return task or self._example(request, name)
        if task is None or task.submission.details.get("renderer") is not self._renderer:
            return None
        return task if task.submission.account == account else None

    def _example(self, request: Request, name: str) -> UpstreamTask:
        """A video that was finished before anybody asked, and that nobody paid."""
        body = {"prompt": "an example", "model": "ray-2", "type": "video"}
        submission = self.submission(request, "", body, VIDEO)
        now = self._station.clock.now()
        task = UpstreamTask(replace(submission, task_id=name), now, 0.0)
        task.end(now)
        self._station.task_store.add(task, now, self._station.config.tasks_kept)
        return task


class LumaAgentsHandlers(LumaHandlers):
    """One path for everything; the body says what it is."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        return (
            SandboxRoute(f"{root}/generations/{{name}}", self.query),
            self.submit_route(f"{root}/generations", AGENTS),
        )

    def submission(
        self, request: Request, account: str, body: dict[str, Any], endpoint: LumaSubmitForm
    ) -> TaskSubmission:
        kind = text_of(body, "type") or "image"
        named = endpoint._replace(operation=TYPES[kind])
        submission = super().submission(request, account, body, named)
        usual = "uni-1" if kind.startswith("image") else "ray-3.2"
        details = {"type": kind, "model": text_of(body, "model") or usual}
        return replace(submission, details={**submission.details, **details})


class LumaRelayHandlers(LumaHandlers):
    """The site's own paths, and the look at many tasks."""

    def __init__(
        self, station: Station, renderer: LumaRelayRenderer, profile: ProviderProfile
    ) -> None:
        super().__init__(station, renderer, profile)
        self._relay = renderer

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        one = f"{root}/generations/{{name}}"
        return (
            SandboxRoute(one, self.query),
            SandboxRoute(f"{root}/tasks", self.query_many, methods=["POST"]),
            self.submit_route(f"{root}/generations", RELAY_VIDEO),
            self.submit_route(f"{root}/generations/", RELAY_VIDEO),
            self.submit_route(f"{one}/extend", RELAY_EXTEND),
            SandboxRoute(f"{one}/download_video_url", self.download),
        )

    async def query_many(self, request: Request) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        body = await read_object(request)
        if body is None or not isinstance(body.get("ids"), list):
            return self._renderer.invalid("ids is required")
        found = [self.find(request, name, account) for name in dict.fromkeys(map(str, body["ids"]))]
        known = [task for task in found if task is not None]
        return await engine.look_at_many(
            self._station, self._renderer, known, self._renderer.several
        )

    async def download(self, request: Request) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self.find(request, request.path_params["name"], account)
        return self._relay.download(task, task and self._station.view(task))
