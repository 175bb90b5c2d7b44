"""Asset URLs, and the routes that serve them until they expire.

There are two kinds. Signed URLs look like those of a chat service's CDN
(`?ex=<hex>&is=<hex>&hm=<hmac>&`, times in sandbox seconds) and work without the task. Plain URLs
work while the task is stored.
"""

import hmac
from collections.abc import Mapping, Sequence
from zlib import crc32

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from ops.sandbox.media import render
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import Phase, SandboxTask, View

CHANNEL = "1050703772185268251"
DEFAULT_SECONDS = 5.0


def base_url(station: SandboxStation, request: Request) -> str:
    """Root of a submit's asset URLs: as configured, or as the caller addresses the station."""
    return (station.config.public_url or str(request.base_url)).rstrip("/")


def signed_url(secret: bytes, task: SandboxTask, name: str, issued_at: float) -> str:
    """A URL that expires when the asset's life, counted from `issued_at`, is over."""
    path = f"/attachments/{CHANNEL}/{task.id}/{name}"
    issued, expires = int(issued_at), int(issued_at + task.asset_life_seconds)
    signature = _signature(secret, path, f"{expires:x}", f"{issued:x}")
    return f"{task.submission.base_url}{path}?ex={expires:x}&is={issued:x}&hm={signature}&"


def plain_url(task: SandboxTask, name: str) -> str:
    """A URL that expires when the asset's life, counted from the task's end, is over."""
    return f"{task.submission.base_url}/files/{task.id}/{name}"


def asset_routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """The routes of those URLs. They need no authentication."""

    async def attachment(request: Request) -> Response:
        query = request.query_params
        if not _is_genuine(station.url_secret, request.url.path, query):
            return PlainTextResponse("This URL was not signed here.", 403)
        if int(query["ex"], 16) <= station.clock.now():
            return PlainTextResponse("This content is no longer available.", 404)
        return _serve(request.path_params["task_id"], request.path_params["name"], DEFAULT_SECONDS)

    async def file(request: Request) -> Response:
        task = station.task_store.get(request.path_params["task_id"])
        if task is None or not _is_served(task, station.view(task), station.clock.now()):
            return PlainTextResponse("No such file.", 404)
        seconds = float(task.submission.details.get("seconds", DEFAULT_SECONDS))
        return _serve(task.id, request.path_params["name"], seconds)

    return [
        SandboxRoute("/attachments/{channel}/{task_id}/{name}", attachment),
        SandboxRoute("/files/{task_id}/{name}", file),
    ]


def _is_served(task: SandboxTask, seen: View, now: float) -> bool:
    if seen.phase is not Phase.SUCCEEDED or seen.finished_at is None:
        return False
    return now < seen.finished_at + task.asset_life_seconds


def _serve(task_id: str, name: str, seconds: float) -> Response:
    hue = crc32(task_id.encode()) / 0xFFFFFFFF
    medium = render(name.rpartition(".")[2], hue, seconds)
    if medium is None:
        return PlainTextResponse("No such file.", 404)
    return Response(medium.content, media_type=medium.content_type)


def _is_genuine(secret: bytes, path: str, query: Mapping[str, str]) -> bool:
    expected = _signature(secret, path, query.get("ex", ""), query.get("is", ""))
    return hmac.compare_digest(expected.encode(), query.get("hm", "").encode())


def _signature(secret: bytes, path: str, expires: str, issued: str) -> str:
    return hmac.digest(secret, f"{path}?{expires}&{issued}".encode(), "sha256").hex()
