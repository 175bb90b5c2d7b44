"""The midjourney-proxy protocol: imagine, looks at one and at many tasks, cancel, callbacks.

It has two faces (`midjourney_faces`): a proxy spoken to directly, and a new-api station that relays
it. Business errors are HTTP 200 with a `code`; tasks are bare objects without an envelope.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import desk
from ops.sandbox.dialect import Refusal
from ops.sandbox.doors import Door
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.midjourney_faces import DirectProxy, ProxyFace, RelayStation
from ops.sandbox.protocols.midjourney_task import task_object
from ops.sandbox.replies import json_reply, read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Order, Trade, UpstreamTask, View

PROVIDER = "midjourney"
#: What an imagine is under each prefix; looks mean the same under all of them.
OPERATIONS = {
    "": "imagine",
    "/mj-fast": "imagine",
    "/mj-relax": "imagine.relax",
    "/mj-turbo": "imagine.turbo",
}
SUBMIT = "/mj/submit/imagine"
STATE_LONGEST = 255
LISTED = 100


def tell(task: UpstreamTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task object, as the face which took the submit shows it."""
    face: ProxyFace = task.order.details["face"]
    return task_object(task, seen, face.url_secret, face.blank)


TRADE = Trade(
    provider=PROVIDER,
    typical_seconds={"imagine": 40.0, "imagine.relax": 240.0, "imagine.turbo": 20.0},
    queues=True,
    unique_references=False,
    asset_life_seconds=24 * 3600.0,
    tell=tell,
)


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every path of the protocol, plain and under each speed mode's prefix."""
    window = Window(station)
    return [door for prefix in OPERATIONS for door in window.doors(prefix)]


class Caller(NamedTuple):
    """Who signed in, and the face they see."""

    face: ProxyFace
    account: str


class Window:
    """The protocol's endpoints."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._direct = DirectProxy(station.url_secret)
        self._relay = RelayStation(station.url_secret)

    def doors(self, prefix: str) -> Sequence[Door]:
        """Every endpoint under one prefix; what is looked at most comes first."""
        mj = f"{prefix}/mj"
        return (
            Door(f"{mj}/task/{{task_id}}/fetch", self.fetch),
            Door(f"{mj}/task/list-by-condition", self.fetch_many, methods=["POST"]),
            Door(f"{prefix}{SUBMIT}", self.imagine, methods=["POST"]),
            Door(f"{mj}/task/{{task_id}}/cancel", self.cancel, methods=["POST"]),
            Door(f"{mj}/task/list", self.latest),
        )

    async def imagine(self, request: Request) -> Response:
        caller = self._caller(request, submits=True)
        if isinstance(caller, Response):
            return desk.turn_away(self._station, caller)
        body = await read_object(request)
        if body is None:
            return desk.refuse(self._station, Refusal.INVALID, caller.face.unreadable())
        complaint = _complaint(body, caller.face)
        if complaint is not None:
            return desk.refuse(self._station, Refusal.INVALID, complaint)
        order = self._order(request, caller, body)
        return await desk.submit(self._station, caller.face, order)

    async def fetch(self, request: Request) -> Response:
        caller = self._caller(request)
        if isinstance(caller, Response):
            return caller
        task = self._find(request.path_params["task_id"], caller)
        return await desk.look(self._station, caller.face, task)

    async def fetch_many(self, request: Request) -> Response:
        caller = self._caller(request)
        if isinstance(caller, Response):
            return caller
        body = await read_object(request)
        if body is None or not isinstance(body.get("ids"), list):
            return caller.face.unreadable()
        found = [self._find(task_id, caller) for task_id in dict.fromkeys(map(str, body["ids"]))]
        known = [task for task in found if task is not None]
        return await desk.look_at_many(self._station, caller.face, known, caller.face.several)

    async def latest(self, request: Request) -> Response:
        caller = self._caller(request)
        if isinstance(caller, Response):
            return caller
        if caller.face is not self._direct:
            return newapi.unknown_path(request.method, request.url.path)
        tasks = (task for task in self._station.board.newest() if task.order.trade is TRADE)
        newest = [*islice(tasks, LISTED)]
        return await desk.list_tasks(self._station, caller.face, newest, caller.face.several)

    async def cancel(self, request: Request) -> Response:
        caller = self._caller(request)
        if isinstance(caller, Response):
            return caller
        if caller.face is not self._direct:
            return newapi.unknown_path(request.method, request.url.path)
        task = self._find(request.path_params["task_id"], caller)
        if task is None:
            return json_reply({"code": 3, "description": "关联任务不存在或已失效"}, 404)
        if task.has_ended(self._station.clock.now()):
            return json_reply({"code": 4, "description": "关联任务状态错误"}, 400)
        self._station.end(task, canceled=True)
        return json_reply({"code": 1, "description": "成功", "result": task.id})

    def _caller(self, request: Request, *, submits: bool = False) -> Caller | Response:
        face = self._face(request.headers)
        account = face.enter(request.headers, self._station.config, submits=submits)
        return account if isinstance(account, Response) else Caller(face, account)

    def _face(self, headers: Headers) -> ProxyFace:
        """The face the settings name or, on auto, the one these credentials are for."""
        chosen = self._station.config.midjourney_face
        if chosen != "auto":
            return self._direct if chosen == "direct" else self._relay
        bearer = headers.get("authorization", "") not in ("", "midjourney-proxy")
        return self._direct if "mj-api-secret" in headers and not bearer else self._relay

    def _order(self, request: Request, caller: Caller, body: dict[str, Any]) -> Order:
        prompt = text_of(body, "prompt")
        return Order(
            trade=TRADE,
            task_id=str(self._station.new_number()),
            operation=OPERATIONS[request.url.path.removesuffix(SUBMIT)],
            account=caller.account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference=text_of(body, "state"),
            base_url=base_url(self._station, request),
            callback_url=text_of(body, "notifyHook"),
            details={
                "face": caller.face,
                "botType": text_of(body, "botType") or "MID_JOURNEY",
            },
        )

    def _find(self, task_id: str, caller: Caller) -> UpstreamTask | None:
        """The task, if this caller may see it: a station shows each key only its own."""
        task = self._station.board.get(task_id)
        if task is None or task.order.trade is not TRADE:
            return None
        owned = task.order.account == caller.account
        return task if owned or caller.face is self._direct else None


def _complaint(body: dict[str, Any], face: ProxyFace) -> Response | None:
    """What is wrong with a submit's body, if anything."""
    if not text_of(body, "prompt").strip():
        return face.no_prompt()
    if len(text_of(body, "state")) > STATE_LONGEST:
        return face.invalid("State参数过长，最大255字符")
    return None
