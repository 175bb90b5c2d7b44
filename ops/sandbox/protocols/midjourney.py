"""The midjourney-proxy protocol: submits, looks at one and at many tasks, seeds, cancel, callbacks.

It has two faces (`midjourney_faces`): a proxy spoken to directly, and a new-api station that relays
it. Business errors are HTTP 200 with a `code`; tasks are bare objects without an envelope.
"""

from collections.abc import Sequence
from itertools import islice
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import desk
from ops.sandbox.doors import Door
from ops.sandbox.protocols.midjourney_counter import Counter
from ops.sandbox.protocols.midjourney_entrance import Entrance
from ops.sandbox.protocols.midjourney_submits import SWAP
from ops.sandbox.protocols.midjourney_trade import IMAGINES, TRADE
from ops.sandbox.protocols.midjourney_work import texts_of
from ops.sandbox.replies import json_reply, read_object
from ops.sandbox.station import Station
from ops.sandbox.tasks import Phase

__all__ = ["TRADE", "routes"]

LISTED = 100


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every path of the protocol, plain and under each speed mode's prefix."""
    window = Window(station)
    return [door for prefix in IMAGINES for door in window.doors(prefix)]


class Window:
    """The protocol's endpoints."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._entrance = Entrance(station)
        self._counter = Counter(station, self._entrance)

    def doors(self, prefix: str) -> Sequence[Door]:
        """Every endpoint under one prefix; what is looked at most comes first."""
        mj, submit = f"{prefix}/mj", self._counter.submit
        return (
            Door(f"{mj}/task/{{task_id}}/fetch", self.fetch),
            Door(f"{mj}/task/list-by-condition", self.fetch_many, methods=["POST"]),
            Door(f"{mj}/submit/{{command}}", submit, methods=["POST"]),
            Door(f"{mj}/{SWAP}", submit, methods=["POST"]),
            Door(f"{mj}/task/{{task_id}}/image-seed", self.seed),
            Door(f"{mj}/task/{{task_id}}/cancel", self.cancel, methods=["POST"]),
            Door(f"{mj}/task/list", self.latest),
        )

    async def fetch(self, request: Request) -> Response:
        caller = self._entrance.caller(request)
        if isinstance(caller, Response):
            return caller
        task = self._entrance.find(request.path_params["task_id"], caller)
        return await desk.look(self._station, caller.face, task)

    async def fetch_many(self, request: Request) -> Response:
        caller = self._entrance.caller(request)
        if isinstance(caller, Response):
            return caller
        body = await read_object(request)
        if body is None or not isinstance(body.get("ids"), list):
            return caller.face.unreadable()
        ids = dict.fromkeys(map(str, body["ids"]))
        found = [self._entrance.find(task_id, caller) for task_id in ids]
        known = [task for task in found if task is not None]
        return await desk.look_at_many(self._station, caller.face, known, caller.face.several)

    async def latest(self, request: Request) -> Response:
        caller = self._entrance.caller(request)
        if isinstance(caller, Response):
            return caller
        if not caller.is_direct:
            return self._entrance.not_here(request, caller)
        tasks = (task for task in self._station.board.newest() if task.order.trade is TRADE)
        newest = [*islice(tasks, LISTED)]
        return await desk.list_tasks(self._station, caller.face, newest, caller.face.several)

    async def seed(self, request: Request) -> Response:
        caller = self._entrance.caller(request)
        if isinstance(caller, Response):
            return caller
        task = self._entrance.find(request.path_params["task_id"], caller)
        if task is None:
            return caller.face.no_parent()
        if self._station.view(task).phase is not Phase.SUCCEEDED:
            return json_reply({"code": 4, "description": "关联任务状态错误"}, 400)
        if texts_of(task):
            return json_reply({"code": 3, "description": "未找到 seed"})
        number = str(crc32(task.id.encode()))
        return json_reply({"code": 1, "description": "成功", "result": number})

    async def cancel(self, request: Request) -> Response:
        caller = self._entrance.caller(request)
        if isinstance(caller, Response):
            return caller
        if not caller.is_direct:
            return self._entrance.not_here(request, caller)
        task = self._entrance.find(request.path_params["task_id"], caller)
        if task is None:
            return caller.face.no_parent()
        if task.has_ended(self._station.clock.now()):
            return json_reply({"code": 4, "description": "关联任务状态错误"}, 400)
        self._station.end(task, canceled=True)
        return json_reply({"code": 1, "description": "成功", "result": task.id})
