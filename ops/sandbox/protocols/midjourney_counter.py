"""Where Midjourney's submits are taken: new tasks, buttons of old ones, answers to waiting ones."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import desk
from ops.sandbox.dialect import Refusal
from ops.sandbox.knobs import NO_KNOBS, parse_knobs
from ops.sandbox.links import base_url, signed_url
from ops.sandbox.protocols.midjourney_buttons import custom_id_of, press
from ops.sandbox.protocols.midjourney_entrance import Caller, Entrance
from ops.sandbox.protocols.midjourney_submits import SUBMITS, SWAP, pictures, state_complaint
from ops.sandbox.protocols.midjourney_trade import IMAGINES, TRADE
from ops.sandbox.protocols.midjourney_work import Makes, Wants, Work, work_of
from ops.sandbox.replies import json_reply, read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Order, Phase, UpstreamTask


class Asked(NamedTuple):
    """One submit that was read."""

    request: Request
    caller: Caller
    command: str
    body: dict[str, Any]


class Counter:
    """Every submit of the protocol."""

    def __init__(self, station: Station, entrance: Entrance) -> None:
        self._station = station
        self._entrance = entrance
        self._others: Mapping[str, Callable[[Asked], Awaitable[Response]]] = {
            "action": self._action,
            "change": self._change,
            "modal": self._modal,
            "upload-discord-images": self._upload,
        }

    async def submit(self, request: Request) -> Response:
        caller = self._entrance.caller(request, submits=True)
        if isinstance(caller, Response):
            return desk.turn_away(self._station, caller)
        command = request.path_params.get("command", SWAP)
        new = SUBMITS.get(command)
        if command not in self._others and not (new and (new.relayed or caller.is_direct)):
            return self._entrance.not_here(request, caller)
        body = await read_object(request)
        if body is None:
            return self._invalid(caller.face.unreadable())
        if complaint := state_complaint(body):
            return self._invalid(caller.face.invalid(complaint))
        take = self._others.get(command, self._new)
        return await take(Asked(request, caller, command, body))

    async def _new(self, asked: Asked) -> Response:
        """A task by itself, or a video that goes on."""
        face, body = asked.caller.face, asked.body
        submit = SUBMITS[asked.command]
        if not asked.caller.is_direct and (complaint := submit.station_complaint(body)):
            return self._invalid(face.own_complaint(complaint))
        if complaint := submit.complaint(body):
            return self._invalid(face.invalid(complaint))
        if text_of(body, "taskId"):
            parent = self._parent(asked)
            if isinstance(parent, Response):
                return parent
        operation = submit.operation
        if operation == "imagine":
            operation = IMAGINES[asked.request.url.path.partition("/mj/")[0]]
        order = self._order(asked, operation, submit.work(body), text_of(body, "prompt"))
        return await desk.submit(self._station, face, order)

    async def _action(self, asked: Asked) -> Response:
        parent = self._parent(asked)
        if isinstance(parent, Response):
            return parent
        return await self._press(asked, parent, text_of(asked.body, "customId"))

    async def _change(self, asked: Asked) -> Response:
        face, index = asked.caller.face, asked.body.get("index")
        action = text_of(asked.body, "action")
        if action not in ("UPSCALE", "VARIATION", "REROLL"):
            return self._invalid(face.invalid("action 参数错误"))
        if not index and not asked.caller.is_direct:
            return self._invalid(face.own_complaint("index_is_required "))
        if action != "REROLL" and index not in (1, 2, 3, 4):
            return self._invalid(face.invalid("index 参数错误"))
        parent = self._parent(asked)
        if isinstance(parent, Response):
            return parent
        return await self._press(asked, parent, custom_id_of(parent, action, index or 0))

    async def _press(self, asked: Asked, parent: UpstreamTask, custom_id: str) -> Response:
        face = asked.caller.face
        pressed = press(parent, custom_id)
        if pressed is None or not (pressed.relayed or asked.caller.is_direct):
            return self._invalid(face.unknown_button(custom_id))
        if pressed.marks:
            return json_reply({"code": 1, "description": "成功", "result": parent.id})
        work = pressed.work
        if asked.body.get("enableRemix") is True and work.wants is Wants.NOTHING:
            work = replace(work, wants=pressed.in_remix)
        order = self._order(asked, asked.command, work, pressed.prompt)
        if work.wants is Wants.NOTHING:
            return await desk.submit(self._station, face, order)
        return await desk.submit(self._station, face, order, self._waiting)

    async def _modal(self, asked: Asked) -> Response:
        """Answer a task that waits; it goes on under its id."""
        face, body = asked.caller.face, asked.body
        task = self._entrance.find(text_of(body, "taskId"), asked.caller)
        if task is None:
            return self._invalid(face.no_parent())
        if not task.awaits_input:
            return self._invalid(face.parent_unfinished())
        prompt = text_of(body, "prompt") or task.order.prompt
        wants = work_of(task).wants
        if wants is Wants.MASK and not text_of(body, "maskBase64"):
            return self._invalid(face.invalid("maskBase64 参数错误"))
        if wants is Wants.ZOOM and "--zoom" not in prompt:
            return self._invalid(face.invalid("prompt 参数错误"))
        order = replace(task.order, prompt=prompt, knobs=parse_knobs(prompt))
        waited = task
        return await desk.submit(
            self._station, face, order, lambda order: self._station.resume(waited, order)
        )

    async def _upload(self, asked: Asked) -> Response:
        """Addresses of what was sent, at once; there is no task."""
        given = pictures(asked.body)
        if not given:
            return self._invalid(asked.caller.face.invalid("base64 参数错误"))
        now = self._station.clock.now()
        order = self._order(asked, "imagine", Work("UPLOAD", Makes.PICTURE), "")
        upload = UpstreamTask(order, now, 0.0)
        names = (f"upload_{number}.png" for number in range(len(given)))
        urls = [signed_url(self._station.url_secret, upload, name, now) for name in names]
        self._station.ledger.pay(TRADE.provider, "")
        return json_reply({"code": 1, "description": "提交成功", "result": urls})

    def _parent(self, asked: Asked) -> UpstreamTask | Response:
        """The finished task a submit follows, or why it cannot."""
        face = asked.caller.face
        parent = self._entrance.find(text_of(asked.body, "taskId"), asked.caller)
        if parent is None:
            return self._invalid(face.no_parent())
        if self._station.view(parent).phase is not Phase.SUCCEEDED:
            return self._invalid(face.parent_unfinished())
        return parent

    def _waiting(self, order: Order) -> tuple[UpstreamTask, int]:
        return self._station.hold(order), 0

    def _invalid(self, reply: Response) -> Response:
        return desk.refuse(self._station, Refusal.INVALID, reply)

    def _order(self, asked: Asked, operation: str, work: Work, prompt: str) -> Order:
        body = asked.body
        return Order(
            trade=TRADE,
            task_id=str(self._station.new_number()),
            operation=operation,
            account=asked.caller.account,
            prompt=prompt,
            knobs=parse_knobs(prompt) if prompt else NO_KNOBS,
            reference=text_of(body, "state"),
            base_url=base_url(self._station, asked.request),
            callback_url=text_of(body, "notifyHook"),
            details={
                "face": asked.caller.face,
                "work": work,
                "botType": text_of(body, "botType") or "MID_JOURNEY",
            },
        )
