"""Who comes to the midjourney-proxy protocol, which face they see, and which tasks are theirs."""

from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.midjourney_faces import DirectProxy, ProxyFace, RelayStation
from ops.sandbox.protocols.midjourney_trade import TRADE
from ops.sandbox.station import Station
from ops.sandbox.tasks import UpstreamTask


class Caller(NamedTuple):
    """Who signed in, and the face they see."""

    face: ProxyFace
    account: str
    #: Whether that is a proxy's own face, and not a station's.
    is_direct: bool


class Entrance:
    """The door of both faces."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._direct = DirectProxy(station.url_secret)
        self._relay = RelayStation(station.url_secret)

    def caller(self, request: Request, *, submits: bool = False) -> Caller | Response:
        """Who asks, or what they are told instead."""
        face = self._face(request.headers)
        account = face.enter(request.headers, self._station.config, submits=submits)
        if isinstance(account, Response):
            return account
        return Caller(face, account, face is self._direct)

    def find(self, task_id: str, caller: Caller) -> UpstreamTask | None:
        """The task, if this caller may see it: a station shows each key only its own."""
        task = self._station.board.get(task_id)
        if task is None or task.order.trade is not TRADE:
            return None
        return task if caller.is_direct or task.order.account == caller.account else None

    def not_here(self, request: Request, caller: Caller) -> Response:
        """What is answered where this face has no such endpoint."""
        if caller.is_direct:
            return Response(status_code=404)
        return newapi.unknown_path(request.method, request.url.path)

    def _face(self, headers: Headers) -> ProxyFace:
        """The face the settings name or, on auto, the one these credentials are for."""
        chosen = self._station.config.midjourney_face
        if chosen != "auto":
            return self._direct if chosen == "direct" else self._relay
        bearer = headers.get("authorization", "") not in ("", "midjourney-proxy")
        return self._direct if "mj-api-secret" in headers and not bearer else self._relay
