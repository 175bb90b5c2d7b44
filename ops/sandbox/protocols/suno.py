"""Suno in four ways of speaking: a relay of the new-api kind, a Suno-API, a feed, the official
style (`suno_faces`).

A relay and a feed share the root `/suno`, as at stations that have both. A Suno-API has the same
paths, under `/raw` here. None carries a reference of the caller's own, so the ledger knows each
task by its own id. The song that examples name exists for everybody.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import engine
from ops.sandbox.protocols import suno_actions, suno_handlers
from ops.sandbox.protocols.suno_handlers import SunoHandlers
from ops.sandbox.protocols.suno_renderers import (
    SunoApiRenderer,
    SunoFeedRenderer,
    SunoOfficialRenderer,
    SunoRelayRenderer,
    coded,
    refused,
)
from ops.sandbox.protocols.suno_requests import operation_of_songs
from ops.sandbox.protocols.suno_songs import aligned_words
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import Station

PROFILE = suno_handlers.PROFILE


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint of every way of speaking."""
    return [
        *SunoApiHandlers(station, SunoRelayRenderer()).routes("/suno"),
        *SunoApiHandlers(station, SunoApiRenderer()).core_routes("/raw/suno"),
        *SunoFeedHandlers(station, SunoFeedRenderer()).routes("/suno"),
        *SunoOfficialHandlers(station, SunoOfficialRenderer()).routes("/api/v1"),
    ]


class SunoApiHandlers(SunoHandlers):
    """The Suno-API protocol, and what stations add to it."""

    def core_routes(self, root: str) -> Sequence[SandboxRoute]:
        """What every speaker of the protocol has; what is looked at most comes first."""
        return (
            SandboxRoute(f"{root}/fetch/{{name}}", self.fetch),
            SandboxRoute(f"{root}/fetch", self.fetch_many, methods=["POST"]),
            self.submit_route(f"{root}/submit/music", operation_of_songs),
            self.submit_route(f"{root}/submit/lyrics", lambda _: "lyrics"),
        )

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """The same with the additions."""
        return (
            *self.core_routes(root),
            self.submit_route(f"{root}/submit/concat", lambda _: "concat"),
            self.submit_route(f"{root}/uploads/audio-url", lambda _: "upload"),
            *(
                SandboxRoute(f"{root}/act/{kind}/{{name}}", self._act(kind))
                for kind in suno_actions.KINDS
            ),
            SandboxRoute(f"{root}/act/tags", self.tags, methods=["POST"]),
            SandboxRoute(f"{root}/persona/create/", self.persona, methods=["POST"]),
        )

    async def fetch(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"], self.renderer)

    async def fetch_many(self, request: Request) -> Response:
        account = self.renderer.authenticate(request.headers, self.station.config, submits=False)
        if isinstance(account, Response):
            return account
        body = await read_object(request)
        if body is None or not isinstance(body.get("ids"), list):
            return self.renderer.invalid("ids is empty")
        names = dict.fromkeys(map(str, body["ids"]))
        found = [self.find(request, name, account) for name in names if name]
        known = [task for task in found if task is not None]
        return await engine.look_at_many(self.station, self.renderer, known, self.renderer.several)

    def _act(self, kind: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            account = self.renderer.authenticate(request.headers, self.station.config, submits=True)
            if isinstance(account, Response):
                return account
            name = request.path_params["name"]
            task = self.finished(request, name, account)
            if task is None:
                return refused(400, "task_not_exist", "task_not_exist")
            return suno_actions.act(kind, task, name, self.station.clock.now())

        return answer

    async def persona(self, request: Request) -> Response:
        account = self.renderer.authenticate(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return account
        body = await read_object(request) or {}
        if self.finished(request, text_of(body, "root_clip_id") or "?", account) is None:
            return refused(400, "task_not_exist", "task_not_exist")
        return (
            suno_actions.persona(body)
            if body.get("name")
            else self.renderer.invalid("name is empty")
        )

    async def tags(self, request: Request) -> Response:
        account = self.renderer.authenticate(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return account
        body = await read_object(request) or {}
        known = bool(text_of(body, "original_tags"))
        return suno_actions.longer_tags(body) if known else self.renderer.invalid("tags are empty")


class SunoFeedHandlers(SunoHandlers):
    """Suno's own web service."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        return (
            SandboxRoute(f"{root}/feed/{{names}}", self.feed),
            SandboxRoute(f"{root}/lyrics/{{name}}", self.words),
            self.submit_route(f"{root}/generate", operation_of_songs),
            self.submit_route(f"{root}/generate/concat", lambda _: "concat"),
            self.submit_route(f"{root}/generate/lyrics/", lambda _: "lyrics"),
        )

    async def feed(self, request: Request) -> Response:
        names = request.path_params["names"].split(",")
        return await self.look(request, names[0] or "?", SunoFeedRenderer(frozenset(names)))

    async def words(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"], self.renderer)


class SunoOfficialHandlers(SunoHandlers):
    """The official style: an endpoint and a record for each kind of thing."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        kinds = ("generate", "lyrics", "wav", "mp4")
        return (
            *(SandboxRoute(f"{root}/{kind}/record-info", self.record) for kind in kinds),
            self.submit_route(f"{root}/generate", lambda _: "music"),
            self.submit_route(f"{root}/generate/extend", lambda _: "extend"),
            self.submit_route(f"{root}/generate/replace-section", lambda _: "infill"),
            self.submit_route(f"{root}/lyrics", lambda _: "lyrics"),
            self.submit_route(f"{root}/wav/generate", lambda _: "wav"),
            self.submit_route(f"{root}/mp4/generate", lambda _: "mp4"),
            SandboxRoute(f"{root}/generate/get-timestamped-lyrics", self.timing, methods=["POST"]),
        )

    def complaint(
        self, operation: str, body: Mapping[str, Any], is_finished: Callable[[str], bool]
    ) -> str:
        if operation in ("music", "lyrics"):
            custom = body.get("customMode") is True
            needed = ("style", "title") if custom else ("prompt",)
            missing = [name for name in needed if not body.get(name)]
            return f"Please enter {missing[0]}." if missing else ""
        song = body.get("audioId")
        known = isinstance(song, str) and len(song) > 1 and is_finished(song)
        return "" if known else "The audio does not exist."

    async def record(self, request: Request) -> Response:
        return await self.look(request, request.query_params.get("taskId") or "?", self.renderer)

    async def timing(self, request: Request) -> Response:
        account = self.renderer.authenticate(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return account
        body = await read_object(request) or {}
        if self.finished(request, text_of(body, "audioId") or "?", account) is None:
            return self.renderer.invalid("The audio does not exist.")
        sung = [
            {"word": each["word"], "success": True, "startS": each["start_s"], "palign": 1}
            for each in aligned_words()
        ]
        return coded(200, "success", {"alignedWords": sung, "waveformData": [], "hootCer": 0.0})
