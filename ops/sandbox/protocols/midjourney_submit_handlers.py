"""The handlers of Midjourney's submits: new tasks, buttons, and input for waiting tasks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import engine
from ops.sandbox.handlers import ProtocolHandlers
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import signed_url
from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.midjourney_buttons import custom_id_of, press
from ops.sandbox.protocols.midjourney_profile import IMAGINES, PROFILE
from ops.sandbox.protocols.midjourney_renderers import MidjourneyRenderer
from ops.sandbox.protocols.midjourney_submits import SUBMITS, SWAP, pictures, state_complaint
from ops.sandbox.protocols.midjourney_work import Makes, MidjourneyWork, Wants, work_of
from ops.sandbox.replies import json_reply, read_object, text_of
from ops.sandbox.tasks import Phase, SandboxTask, TaskSubmission


class MidjourneyCall(NamedTuple):
    """An authenticated submit."""

    request: Request
    account: str
    command: str
    body: dict[str, Any]


class MidjourneySubmitHandlers(ProtocolHandlers[MidjourneyRenderer]):
    """Every submit of the protocol, through one renderer."""

    async def submit_command(self, request: Request) -> Response:
        account = self.authenticate(request, submits=True)
        if isinstance(account, Response):
            return engine.reject_key(self.station, account)
        command = request.path_params.get("command", SWAP)
        follow_ups: Mapping[str, Callable[[MidjourneyCall], Awaitable[Response]]] = {
            "action": self._action,
            "change": self._change,
            "modal": self._modal,
            "upload-discord-images": self._upload,
        }
        new = SUBMITS.get(command)
        if command not in follow_ups and not (new and (new.relayed or self.renderer.is_direct)):
            return self.not_served(request)
        body = await read_object(request)
        if body is None:
            return self.refuse(self.renderer.unreadable())
        if complaint := state_complaint(body):
            return self.refuse(self.renderer.invalid(complaint))
        handle = follow_ups.get(command, self._new)
        return await handle(MidjourneyCall(request, account, command, body))

    def owns(self, task: SandboxTask, account: str) -> bool:
        """A relay shows each key its own tasks; a proxy shows every task."""
        submission = task.submission
        if submission.profile is not PROFILE:
            return False
        return self.renderer.is_direct or submission.account == account

    def not_served(self, request: Request) -> Response:
        """The response where this renderer has no such endpoint."""
        if self.renderer.is_direct:
            return Response(status_code=404)
        return newapi.unknown_path(request.method, request.url.path)

    async def _new(self, sent: MidjourneyCall) -> Response:
        """Create a task of its own, or a continued video."""
        renderer, body = self.renderer, sent.body
        submit = SUBMITS[sent.command]
        if not self.renderer.is_direct and (complaint := submit.station_complaint(body)):
            return self.refuse(renderer.own_complaint(complaint))
        if complaint := submit.complaint(body):
            return self.refuse(renderer.invalid(complaint))
        if text_of(body, "taskId"):
            parent = self._parent(sent)
            if isinstance(parent, Response):
                return parent
        operation = submit.operation
        if operation == "imagine":
            operation = IMAGINES[sent.request.url.path.partition("/mj/")[0]]
        submission = self._read(sent, operation, submit.work(body), text_of(body, "prompt"))
        return await engine.submit(self.station, renderer, submission)

    async def _action(self, sent: MidjourneyCall) -> Response:
        parent = self._parent(sent)
        if isinstance(parent, Response):
            return parent
        return await self._press(sent, parent, text_of(sent.body, "customId"))

    async def _change(self, sent: MidjourneyCall) -> Response:
        renderer, index = self.renderer, sent.body.get("index")
        action = text_of(sent.body, "action")
        if action not in ("UPSCALE", "VARIATION", "REROLL"):
            return self.refuse(renderer.invalid("action 参数错误"))
        if not index and not self.renderer.is_direct:
            return self.refuse(renderer.own_complaint("index_is_required "))
        if action != "REROLL" and index not in (1, 2, 3, 4):
            return self.refuse(renderer.invalid("index 参数错误"))
        parent = self._parent(sent)
        if isinstance(parent, Response):
            return parent
        return await self._press(sent, parent, custom_id_of(parent, action, index or 0))

    async def _press(self, sent: MidjourneyCall, parent: SandboxTask, custom_id: str) -> Response:
        renderer = self.renderer
        pressed = press(parent, custom_id)
        if pressed is None or not (pressed.relayed or self.renderer.is_direct):
            return self.refuse(renderer.unknown_button(custom_id))
        if pressed.marks:
            return json_reply({"code": 1, "description": "成功", "result": parent.id})
        work = pressed.work
        if sent.body.get("enableRemix") is True and work.wants is Wants.NOTHING:
            work = replace(work, wants=pressed.in_remix)
        submission = self._read(sent, sent.command, work, pressed.prompt)
        if work.wants is Wants.NOTHING:
            return await engine.submit(self.station, renderer, submission)
        return await engine.submit(self.station, renderer, submission, self._waiting)

    async def _modal(self, sent: MidjourneyCall) -> Response:
        """Resume a waiting task under its id, with the input in the body."""
        renderer, body = self.renderer, sent.body
        task = self.find(sent.request, text_of(body, "taskId"), sent.account)
        if task is None:
            return self.refuse(renderer.no_parent())
        if not task.awaits_input:
            return self.refuse(renderer.parent_unfinished())
        prompt = text_of(body, "prompt") or task.submission.prompt
        wants = work_of(task).wants
        if wants is Wants.MASK and not text_of(body, "maskBase64"):
            return self.refuse(renderer.invalid("maskBase64 参数错误"))
        if wants is Wants.ZOOM and "--zoom" not in prompt:
            return self.refuse(renderer.invalid("prompt 参数错误"))
        submission = replace(task.submission, prompt=prompt, knobs=parse_knobs(prompt))
        waited = task
        return await engine.submit(
            self.station,
            renderer,
            submission,
            lambda submission: self.station.resume(waited, submission),
        )

    async def _upload(self, sent: MidjourneyCall) -> Response:
        """Return the URLs of the uploaded pictures at once, without a task."""
        given = pictures(sent.body)
        if not given:
            return self.refuse(self.renderer.invalid("base64 参数错误"))
        now = self.station.clock.now()
        submission = self._read(sent, "imagine", MidjourneyWork("UPLOAD", Makes.PICTURE), "")
        upload = SandboxTask(submission, now, 0.0)
        names = (f"upload_{number}.png" for number in range(len(given)))
        urls = [signed_url(self.station.url_secret, upload, name, now) for name in names]
        self.station.ledger.pay(PROFILE.provider, "")
        return json_reply({"code": 1, "description": "提交成功", "result": urls})

    def _parent(self, sent: MidjourneyCall) -> SandboxTask | Response:
        """The succeeded task that a submit follows, or the response that rejects the submit."""
        renderer = self.renderer
        parent = self.find(sent.request, text_of(sent.body, "taskId"), sent.account)
        if parent is None:
            return self.refuse(renderer.no_parent())
        if self.station.view(parent).phase is not Phase.SUCCEEDED:
            return self.refuse(renderer.parent_unfinished())
        return parent

    def _waiting(self, submission: TaskSubmission) -> tuple[SandboxTask, int]:
        return self.station.hold(submission), 0

    def _read(
        self, sent: MidjourneyCall, operation: str, work: MidjourneyWork, prompt: str
    ) -> TaskSubmission:
        bot = text_of(sent.body, "botType") or "MID_JOURNEY"
        return self.submission(
            sent.request,
            sent.account,
            operation,
            prompt,
            {"work": work, "botType": bot},
            task_id=str(self.station.new_number()),
            reference=text_of(sent.body, "state"),
            callback_url=text_of(sent.body, "notifyHook"),
        )
