"""The midjourney-proxy protocol: submits, polls of one and many tasks, seeds, cancel, callbacks.

It has two renderers (`midjourney_renderers`): a proxy without a relay, and a new-api station that
relays it. Business errors are HTTP 200 with a `code`; tasks are bare objects without an envelope.
"""

from collections.abc import Sequence
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.protocols.midjourney_profile import IMAGINES, PROFILE
from ops.sandbox.protocols.midjourney_renderers import (
    MidjourneyProxyRenderer,
    MidjourneyRelayRenderer,
)
from ops.sandbox.protocols.midjourney_submit_handlers import MidjourneySubmitHandlers
from ops.sandbox.protocols.midjourney_submits import SWAP
from ops.sandbox.protocols.midjourney_work import texts_of
from ops.sandbox.replies import json_reply
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import Phase

__all__ = ["PROFILE", "routes"]

LISTED = 100


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every path of the protocol, plain and under each speed mode's prefix."""
    proxy = MidjourneyHandlers(station, MidjourneyProxyRenderer(station.url_secret), PROFILE)
    relay = MidjourneyHandlers(station, MidjourneyRelayRenderer(station.url_secret), PROFILE)
    return [
        _either(station, *pair)
        for prefix in IMAGINES
        for pair in zip(proxy.routes(prefix), relay.routes(prefix), strict=True)
    ]


def _either(station: SandboxStation, proxy: SandboxRoute, relay: SandboxRoute) -> SandboxRoute:
    """One route for both: the settings decide or, on `auto`, the caller's credentials."""

    async def answer(request: Request) -> Response:
        shown, headers = station.config.midjourney_face, request.headers
        bearer = headers.get("authorization", "") not in ("", "midjourney-proxy")
        by_secret = "mj-api-secret" in headers and not bearer
        direct = shown == "direct" or (shown == "auto" and by_secret)
        return await (proxy if direct else relay).endpoint(request)

    return SandboxRoute(proxy.path, answer, methods=[*(proxy.methods or ())])


class MidjourneyHandlers(MidjourneySubmitHandlers):
    """The endpoints of one renderer."""

    def routes(self, prefix: str) -> Sequence[SandboxRoute]:
        """Every route under one prefix; the most polled path comes first."""
        mj = f"{prefix}/mj"
        return (
            self.poll_route(f"{mj}/task/{{name}}/fetch"),
            self.poll_many_route(f"{mj}/task/list-by-condition", self.renderer.unreadable),
            SandboxRoute(f"{mj}/submit/{{command}}", self.submit_command, methods=["POST"]),
            SandboxRoute(f"{mj}/{SWAP}", self.submit_command, methods=["POST"]),
            self.account_route(f"{mj}/task/{{name}}/image-seed", self.seed),
            self.account_route(f"{mj}/task/{{name}}/cancel", self.cancel, "POST"),
            self.account_route(f"{mj}/task/list", self.latest),
        )

    async def latest(self, request: Request, account: str) -> Response:
        if not self.renderer.is_direct:
            return self.not_served(request)
        return await self.list_tasks(self.newest(account, 0, LISTED))

    async def seed(self, request: Request, account: str) -> Response:
        task = self.find(request, request.path_params["name"], account)
        if task is None:
            return self.renderer.no_parent()
        if self.station.view(task).phase is not Phase.SUCCEEDED:
            return json_reply({"code": 4, "description": "关联任务状态错误"}, 400)
        if texts_of(task):
            return json_reply({"code": 3, "description": "未找到 seed"})
        number = str(crc32(task.id.encode()))
        return json_reply({"code": 1, "description": "成功", "result": number})

    async def cancel(self, request: Request, account: str) -> Response:
        if not self.renderer.is_direct:
            return self.not_served(request)
        task = self.find(request, request.path_params["name"], account)
        if task is None:
            return self.renderer.no_parent()
        if task.has_ended(self.station.clock.now()):
            return json_reply({"code": 4, "description": "关联任务状态错误"}, 400)
        self.station.end(task, canceled=True)
        return json_reply({"code": 1, "description": "成功", "result": task.id})
