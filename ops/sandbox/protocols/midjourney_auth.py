"""Who comes to the midjourney-proxy protocol, which face they see, and which tasks are theirs."""

from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.midjourney_profile import PROFILE
from ops.sandbox.protocols.midjourney_renderers import (
    MidjourneyProxyRenderer,
    MidjourneyRelayRenderer,
    MidjourneyRenderer,
)
from ops.sandbox.station import Station
from ops.sandbox.tasks import UpstreamTask


class MidjourneyCaller(NamedTuple):
    """Who signed in, and the face they see."""

    renderer: MidjourneyRenderer
    account: str
    #: Whether that is a proxy's own face, and not a station's.
    is_direct: bool


class MidjourneyAuth:
    """The door of both faces."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._direct = MidjourneyProxyRenderer(station.url_secret)
        self._relay = MidjourneyRelayRenderer(station.url_secret)

    def caller(self, request: Request, *, submits: bool = False) -> MidjourneyCaller | Response:
        """Who asks, or what they are told instead."""
        renderer = self._renderer(request.headers)
        account = renderer.authenticate(request.headers, self._station.config, submits=submits)
        if isinstance(account, Response):
            return account
        return MidjourneyCaller(renderer, account, renderer is self._direct)

    def find(self, task_id: str, caller: MidjourneyCaller) -> UpstreamTask | None:
        """The task, if this caller may see it: a station shows each key only its own."""
        task = self._station.task_store.get(task_id)
        if task is None or task.submission.profile is not PROFILE:
            return None
        return task if caller.is_direct or task.submission.account == caller.account else None

    def not_here(self, request: Request, caller: MidjourneyCaller) -> Response:
        """What is answered where this face has no such endpoint."""
        if caller.is_direct:
            return Response(status_code=404)
        return newapi.unknown_path(request.method, request.url.path)

    def _renderer(self, headers: Headers) -> MidjourneyRenderer:
        """The face the settings name or, on auto, the one these credentials are for."""
        chosen = self._station.config.midjourney_face
        if chosen != "auto":
            return self._direct if chosen == "direct" else self._relay
        bearer = headers.get("authorization", "") not in ("", "midjourney-proxy")
        return self._direct if "mj-api-secret" in headers and not bearer else self._relay
