"""Where Midjourney's submits are taken: new tasks, buttons of old ones, answers to waiting ones."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import engine
from ops.sandbox.dialect import Refusal
from ops.sandbox.knobs import NO_KNOBS, parse_knobs
from ops.sandbox.links import base_url, signed_url
from ops.sandbox.protocols.midjourney_auth import MidjourneyAuth, MidjourneyCaller
from ops.sandbox.protocols.midjourney_buttons import custom_id_of, press
from ops.sandbox.protocols.midjourney_profile import IMAGINES, PROFILE
from ops.sandbox.protocols.midjourney_submits import SUBMITS, SWAP, pictures, state_complaint
from ops.sandbox.protocols.midjourney_work import Makes, MidjourneyWork, Wants, work_of
from ops.sandbox.replies import json_reply, read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Phase, TaskSubmission, UpstreamTask


class MidjourneySubmission(NamedTuple):
    """One submit that was read."""

    request: Request
    caller: MidjourneyCaller
    command: str
    body: dict[str, Any]


class MidjourneySubmitHandlers:
    """Every submit of the protocol."""

    def __init__(self, station: Station, auth: MidjourneyAuth) -> None:
        self._station = station
        self._auth = auth
        self._others: Mapping[str, Callable[[MidjourneySubmission], Awaitable[Response]]] = {
            "action": self._action,
            "change": self._change,
            "modal": self._modal,
            "upload-discord-images": self._upload,
        }

    async def submit(self, request: Request) -> Response:
        caller = self._auth.caller(request, submits=True)
        if isinstance(caller, Response):
            return engine.reject_key(self._station, caller)
        command = request.path_params.get("command", SWAP)
        new = SUBMITS.get(command)
        if command not in self._others and not (new and (new.relayed or caller.is_direct)):
            return self._auth.not_here(request, caller)
        body = await read_object(request)
        if body is None:
            return self._invalid(caller.renderer.unreadable())
        if complaint := state_complaint(body):
            return self._invalid(caller.renderer.invalid(complaint))
        take = self._others.get(command, self._new)
        return await take(MidjourneySubmission(request, caller, command, body))

    async def _new(self, sent: MidjourneySubmission) -> Response:
        """A task by itself, or a video that goes on."""
        renderer, body = sent.caller.renderer, sent.body
        submit = SUBMITS[sent.command]
        if not sent.caller.is_direct and (complaint := submit.station_complaint(body)):
            return self._invalid(renderer.own_complaint(complaint))
        if complaint := submit.complaint(body):
            return self._invalid(renderer.invalid(complaint))
        if text_of(body, "taskId"):
            parent = self._parent(sent)
            if isinstance(parent, Response):
                return parent
        operation = submit.operation
        if operation == "imagine":
            operation = IMAGINES[sent.request.url.path.partition("/mj/")[0]]
        submission = self._submission(sent, operation, submit.work(body), text_of(body, "prompt"))
        return await engine.submit(self._station, renderer, submission)

    async def _action(self, sent: MidjourneySubmission) -> Response:
        parent = self._parent(sent)
        if isinstance(parent, Response):
            return parent
        return await self._press(sent, parent, text_of(sent.body, "customId"))

    async def _change(self, sent: MidjourneySubmission) -> Response:
        renderer, index = sent.caller.renderer, sent.body.get("index")
        action = text_of(sent.body, "action")
        if action not in ("UPSCALE", "VARIATION", "REROLL"):
            return self._invalid(renderer.invalid("action 参数错误"))
        if not index and not sent.caller.is_direct:
            return self._invalid(renderer.own_complaint("index_is_required "))
        if action != "REROLL" and index not in (1, 2, 3, 4):
            return self._invalid(renderer.invalid("index 参数错误"))
        parent = self._parent(sent)
        if isinstance(parent, Response):
            return parent
        return await self._press(sent, parent, custom_id_of(parent, action, index or 0))

    async def _press(
        self, sent: MidjourneySubmission, parent: UpstreamTask, custom_id: str
    ) -> Response:
        renderer = sent.caller.renderer
        pressed = press(parent, custom_id)
        if pressed is None or not (pressed.relayed or sent.caller.is_direct):
            return self._invalid(renderer.unknown_button(custom_id))
        if pressed.marks:
            return json_reply({"code": 1, "description": "成功", "result": parent.id})
        work = pressed.work
        if sent.body.get("enableRemix") is True and work.wants is Wants.NOTHING:
            work = replace(work, wants=pressed.in_remix)
        submission = self._submission(sent, sent.command, work, pressed.prompt)
        if work.wants is Wants.NOTHING:
            return await engine.submit(self._station, renderer, submission)
        return await engine.submit(self._station, renderer, submission, self._waiting)

    async def _modal(self, sent: MidjourneySubmission) -> Response:
        """Answer a task that waits; it goes on under its id."""
        renderer, body = sent.caller.renderer, sent.body
        task = self._auth.find(text_of(body, "taskId"), sent.caller)
        if task is None:
            return self._invalid(renderer.no_parent())
        if not task.awaits_input:
            return self._invalid(renderer.parent_unfinished())
        prompt = text_of(body, "prompt") or task.submission.prompt
        wants = work_of(task).wants
        if wants is Wants.MASK and not text_of(body, "maskBase64"):
            return self._invalid(renderer.invalid("maskBase64 参数错误"))
        if wants is Wants.ZOOM and "--zoom" not in prompt:
            return self._invalid(renderer.invalid("prompt 参数错误"))
        submission = replace(task.submission, prompt=prompt, knobs=parse_knobs(prompt))
        waited = task
        return await engine.submit(
            self._station,
            renderer,
            submission,
            lambda submission: self._station.resume(waited, submission),
        )

    async def _upload(self, sent: MidjourneySubmission) -> Response:
        """Addresses of what was sent, at once; there is no task."""
        given = pictures(sent.body)
        if not given:
            return self._invalid(sent.caller.renderer.invalid("base64 参数错误"))
        now = self._station.clock.now()
        submission = self._submission(sent, "imagine", MidjourneyWork("UPLOAD", Makes.PICTURE), "")
        upload = UpstreamTask(submission, now, 0.0)
        names = (f"upload_{number}.png" for number in range(len(given)))
        urls = [signed_url(self._station.url_secret, upload, name, now) for name in names]
        self._station.ledger.pay(PROFILE.provider, "")
        return json_reply({"code": 1, "description": "提交成功", "result": urls})

    def _parent(self, sent: MidjourneySubmission) -> UpstreamTask | Response:
        """The finished task a submit follows, or why it cannot."""
        renderer = sent.caller.renderer
        parent = self._auth.find(text_of(sent.body, "taskId"), sent.caller)
        if parent is None:
            return self._invalid(renderer.no_parent())
        if self._station.view(parent).phase is not Phase.SUCCEEDED:
            return self._invalid(renderer.parent_unfinished())
        return parent

    def _waiting(self, submission: TaskSubmission) -> tuple[UpstreamTask, int]:
        return self._station.hold(submission), 0

    def _invalid(self, reply: Response) -> Response:
        return engine.refuse(self._station, Refusal.INVALID, reply)

    def _submission(
        self, sent: MidjourneySubmission, operation: str, work: MidjourneyWork, prompt: str
    ) -> TaskSubmission:
        body = sent.body
        return TaskSubmission(
            profile=PROFILE,
            task_id=str(self._station.new_number()),
            operation=operation,
            account=sent.caller.account,
            prompt=prompt,
            knobs=parse_knobs(prompt) if prompt else NO_KNOBS,
            reference=text_of(body, "state"),
            base_url=base_url(self._station, sent.request),
            callback_url=text_of(body, "notifyHook"),
            details={
                "renderer": sent.caller.renderer,
                "work": work,
                "botType": text_of(body, "botType") or "MID_JOURNEY",
            },
        )
