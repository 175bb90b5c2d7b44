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

from ops.sandbox import engine
from ops.sandbox.protocols.midjourney_auth import MidjourneyAuth
from ops.sandbox.protocols.midjourney_profile import IMAGINES, PROFILE
from ops.sandbox.protocols.midjourney_submit_handlers import MidjourneySubmitHandlers
from ops.sandbox.protocols.midjourney_submits import SWAP
from ops.sandbox.protocols.midjourney_work import texts_of
from ops.sandbox.replies import json_reply, read_object
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import Station
from ops.sandbox.tasks import Phase

__all__ = ["PROFILE", "routes"]

LISTED = 100


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every path of the protocol, plain and under each speed mode's prefix."""
    handlers = MidjourneyHandlers(station)
    return [door for prefix in IMAGINES for door in handlers.routes(prefix)]


class MidjourneyHandlers:
    """The protocol's endpoints."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._auth = MidjourneyAuth(station)
        self._submits = MidjourneySubmitHandlers(station, self._auth)

    def routes(self, prefix: str) -> Sequence[SandboxRoute]:
        """Every endpoint under one prefix; what is looked at most comes first."""
        mj, submit = f"{prefix}/mj", self._submits.submit
        return (
            SandboxRoute(f"{mj}/task/{{task_id}}/fetch", self.fetch),
            SandboxRoute(f"{mj}/task/list-by-condition", self.fetch_many, methods=["POST"]),
            SandboxRoute(f"{mj}/submit/{{command}}", submit, methods=["POST"]),
            SandboxRoute(f"{mj}/{SWAP}", submit, methods=["POST"]),
            SandboxRoute(f"{mj}/task/{{task_id}}/image-seed", self.seed),
            SandboxRoute(f"{mj}/task/{{task_id}}/cancel", self.cancel, methods=["POST"]),
            SandboxRoute(f"{mj}/task/list", self.latest),
        )

    async def fetch(self, request: Request) -> Response:
        caller = self._auth.caller(request)
        if isinstance(caller, Response):
            return caller
        task = self._auth.find(request.path_params["task_id"], caller)
        return await engine.look(self._station, caller.renderer, task)

    async def fetch_many(self, request: Request) -> Response:
        caller = self._auth.caller(request)
        if isinstance(caller, Response):
            return caller
        body = await read_object(request)
        if body is None or not isinstance(body.get("ids"), list):
            return caller.renderer.unreadable()
        ids = dict.fromkeys(map(str, body["ids"]))
        found = [self._auth.find(task_id, caller) for task_id in ids]
        known = [task for task in found if task is not None]
        return await engine.look_at_many(
            self._station, caller.renderer, known, caller.renderer.several
        )

    async def latest(self, request: Request) -> Response:
        caller = self._auth.caller(request)
        if isinstance(caller, Response):
            return caller
        if not caller.is_direct:
            return self._auth.not_here(request, caller)
        tasks = (
            task for task in self._station.task_store.newest() if task.submission.profile is PROFILE
        )
        newest = [*islice(tasks, LISTED)]
        return await engine.list_tasks(
            self._station, caller.renderer, newest, caller.renderer.several
        )

    async def seed(self, request: Request) -> Response:
        caller = self._auth.caller(request)
        if isinstance(caller, Response):
            return caller
        task = self._auth.find(request.path_params["task_id"], caller)
        if task is None:
            return caller.renderer.no_parent()
        if self._station.view(task).phase is not Phase.SUCCEEDED:
            return json_reply({"code": 4, "description": "关联任务状态错误"}, 400)
        if texts_of(task):
            return json_reply({"code": 3, "description": "未找到 seed"})
        number = str(crc32(task.id.encode()))
        return json_reply({"code": 1, "description": "成功", "result": number})

    async def cancel(self, request: Request) -> Response:
        caller = self._auth.caller(request)
        if isinstance(caller, Response):
            return caller
        if not caller.is_direct:
            return self._auth.not_here(request, caller)
        task = self._auth.find(request.path_params["task_id"], caller)
        if task is None:
            return caller.renderer.no_parent()
        if task.has_ended(self._station.clock.now()):
            return json_reply({"code": 4, "description": "关联任务状态错误"}, 400)
        self._station.end(task, canceled=True)
        return json_reply({"code": 1, "description": "成功", "result": task.id})
