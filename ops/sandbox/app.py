"""The sandbox station as one ASGI application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from ops.sandbox.config import SandboxConfig
from ops.sandbox.control import ControlEndpoints
from ops.sandbox.links import asset_routes
from ops.sandbox.protocols import newapi, routes, typical_seconds
from ops.sandbox.replies import json_reply
from ops.sandbox.station import SandboxStation


class SandboxApp(Router):
    """Every protocol, the assets and the control endpoints over one station."""

    def __init__(self, station: SandboxStation) -> None:
        self.station = station
        super().__init__(
            [*routes(station), *asset_routes(station), *ControlEndpoints(station).routes()],
            redirect_slashes=False,
            default=_nowhere,
            lifespan=self._life,
        )

    @asynccontextmanager
    async def _life(self, _app: object) -> AsyncGenerator[None]:
        async with self.station.callbacks.running():
            yield


def create_app(config: SandboxConfig) -> SandboxApp:
    """An app with an empty station; raises ValueError for a duration of an unknown operation."""
    if unknown := [name for name in config.durations if name not in typical_seconds()]:
        known = ", ".join(typical_seconds())
        raise ValueError(f"durations: {', '.join(unknown)} is no operation; there are {known}")
    return SandboxApp(SandboxStation(config))


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    await _unknown_path(Request(scope))(scope, receive, send)


def _unknown_path(request: Request) -> Response:
    """A direct proxy returns 404; all other paths get a new-api station's response."""
    path = request.url.path
    if path.startswith("/_sandbox"):
        return json_reply({"error": "no such control endpoint; see GET /_sandbox/"}, 404)
    if "mj-api-secret" in request.headers and "authorization" not in request.headers:
        return Response(status_code=404)
    return newapi.unknown_path(request.method, path)
