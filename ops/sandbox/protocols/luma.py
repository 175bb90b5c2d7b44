"""Luma's protocols: the Dream Machine API, the Agents API, and the form relays give it.

None carries a reference of the caller's own, so the ledger knows each task by its own id. The
generations in the documentation's examples exist for every account, so that follow-ups can be tried
alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.handlers import ProtocolHandlers, SubmitCall
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
from ops.sandbox.replies import text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import ProviderProfile, SandboxTask, TaskSubmission, View

EXAMPLES = frozenset(
    {"123e4567-e89b-12d3-a456-426614174000", "4665a07c-7641-4809-a133-10786201bb56"}
)
#: The parameters of a list and their defaults.
PAGE = (("limit", "100"), ("offset", "0"))
_VIDEO_SECONDS = 105.0
_IMAGE_SECONDS = 20.0


def callback_body(task: SandboxTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task as the renderer that took the submit shows it."""
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
#: The Agents API's file URLs are valid for an hour.
AGENTS_PROFILE = replace(PROFILE, asset_life_seconds=3600.0)


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every route, each API under its own root."""
    return [
        *LumaHandlers(station, LumaDreamMachineRenderer(), PROFILE).routes("/dream-machine/v1"),
        *LumaAgentsHandlers(station, LumaAgentsRenderer(), AGENTS_PROFILE).routes("/v1"),
        *LumaRelayHandlers(station, LumaRelayRenderer(), PROFILE).routes("/luma"),
    ]


class LumaHandlers(ProtocolHandlers[LumaRenderer]):
    """The handlers of Dream Machine, and the base of the other two."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every route; the most polled path comes first."""
        forms = {
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
            self.poll_route(f"{root}/generations/{{name}}"),
            self.account_route(f"{root}/generations", self.page),
            *(self.form_route(f"{root}/generations{path}", form) for path, form in forms.items()),
        )

    def form_route(self, path: str, form: LumaSubmitForm) -> SandboxRoute:
        """The route that takes one form of submit."""

        def read(call: SubmitCall) -> TaskSubmission | Response:
            def is_finished(name: str) -> bool:
                return self.finished(call.request, name, call.account) is not None

            followed = call.request.path_params.get("name")
            if followed is not None and not is_finished(followed):
                return self.renderer.not_found()
            complaint = form.complaint(call.body, is_finished)
            if complaint is not None:
                return self.renderer.invalid(complaint)
            return self.read(call.request, call.account, call.body, form)

        return self.submit_route(path, read)

    async def page(self, request: Request, account: str) -> Response:
        limit, offset = (request.query_params.get(*each) for each in PAGE)
        if not (limit.isdecimal() and offset.isdecimal()):
            return self.renderer.invalid("limit and offset are numbers")
        return await self.list_tasks(self.newest(account, int(offset), int(limit)))

    def read(
        self, request: Request, account: str, body: dict[str, Any], form: LumaSubmitForm
    ) -> TaskSubmission:
        """The submission in a valid body of this form."""
        details = {
            "model": text_of(body, "model"),
            "type": text_of(body, "type"),
            "request": body,
            "seconds": seconds_of(body),
        }
        hook = text_of(body, "callback_url") or text_of(body, "notify_hook")
        operation, prompt = operation_of(form, body), prompt_of(body)
        return self.submission(request, account, operation, prompt, details, callback_url=hook)

    def find(self, request: Request, name: str, account: str) -> SandboxTask | None:
        """The task, if it is this account's and was submitted here; or an example."""
        if name in EXAMPLES:
            return self.station.task_store.get(name) or self._example(request, name)
        return super().find(request, name, account)

    def owns(self, task: SandboxTask, account: str) -> bool:
        return task.id in EXAMPLES or super().owns(task, account)

    def _example(self, request: Request, name: str) -> SandboxTask:
        """A finished video that no caller submitted or paid."""
        body = {"prompt": "an example", "model": "ray-2", "type": "video"}
        submission = replace(self.read(request, "", body, VIDEO), task_id=name)
        return self.station.add_finished(submission)


class LumaAgentsHandlers(LumaHandlers):
    """The Agents API: one path for every submit; the body says which kind it is."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        return (
            self.poll_route(f"{root}/generations/{{name}}"),
            self.form_route(f"{root}/generations", AGENTS),
        )

    def read(
        self, request: Request, account: str, body: dict[str, Any], form: LumaSubmitForm
    ) -> TaskSubmission:
        kind = text_of(body, "type") or "image"
        named = form._replace(operation=TYPES[kind])
        submission = super().read(request, account, body, named)
        usual = "uni-1" if kind.startswith("image") else "ray-3.2"
        details = {"type": kind, "model": text_of(body, "model") or usual}
        return replace(submission, details={**submission.details, **details})


class LumaRelayHandlers(LumaHandlers):
    """The paths of the vendor's own site, and polls of many tasks."""

    def __init__(
        self, station: SandboxStation, renderer: LumaRelayRenderer, profile: ProviderProfile
    ) -> None:
        super().__init__(station, renderer, profile)
        self._relay = renderer

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        one = f"{root}/generations/{{name}}"
        return (
            self.poll_route(one),
            self.poll_many_route(f"{root}/tasks", lambda: self._relay.invalid("ids is required")),
            self.form_route(f"{root}/generations", RELAY_VIDEO),
            self.form_route(f"{root}/generations/", RELAY_VIDEO),
            self.form_route(f"{one}/extend", RELAY_EXTEND),
            self.account_route(f"{one}/download_video_url", self.download),
        )

    async def download(self, request: Request, account: str) -> Response:
        task = self.find(request, request.path_params["name"], account)
        return self._relay.download(task, task and self.station.view(task))
