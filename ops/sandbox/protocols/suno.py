"""Suno's protocols: a new-api relay, a Suno-API, a feed, and the official style.

The relay and the feed share the root `/suno`, as at stations that have both. A Suno-API has the
same paths, here under `/raw`. None carries a reference of the caller's own, so the ledger knows
each task by its own id. The song in the documentation's examples exists for every account.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import engine
from ops.sandbox.protocols import suno_actions
from ops.sandbox.protocols.suno_actions import KINDS
from ops.sandbox.protocols.suno_handlers import PROFILE, SunoHandlers
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
from ops.sandbox.station import SandboxStation

__all__ = ["PROFILE", "routes"]


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every route of every protocol."""
    return [
        *SunoApiHandlers(station, SunoRelayRenderer()).routes("/suno"),
        *SunoApiHandlers(station, SunoApiRenderer()).core_routes("/raw/suno"),
        *SunoFeedHandlers(station, SunoFeedRenderer()).routes("/suno"),
        *SunoOfficialHandlers(station, SunoOfficialRenderer()).routes("/api/v1"),
    ]


class SunoApiHandlers(SunoHandlers):
    """The Suno-API protocol, and the additions of stations."""

    def core_routes(self, root: str) -> Sequence[SandboxRoute]:
        """The routes that every speaker of the protocol has; the most polled path comes first."""
        return (
            self.poll_route(f"{root}/fetch/{{name}}"),
            self.poll_many_route(f"{root}/fetch", lambda: self.renderer.invalid("ids is empty")),
            self.operation_route(f"{root}/submit/music", operation_of_songs),
            self.operation_route(f"{root}/submit/lyrics", "lyrics"),
        )

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """The same with the additions."""
        return (
            *self.core_routes(root),
            self.operation_route(f"{root}/submit/concat", "concat"),
            self.operation_route(f"{root}/uploads/audio-url", "upload"),
            *(self._action_route(f"{root}/act/{kind}/{{name}}", kind) for kind in KINDS),
            self.account_route(f"{root}/act/tags", self.tags, "POST", submits=True),
            self.account_route(f"{root}/persona/create/", self.persona, "POST", submits=True),
        )

    def _action_route(self, path: str, kind: str) -> SandboxRoute:
        async def answer(request: Request, account: str) -> Response:
            name = request.path_params["name"]
            task = self.finished(request, name, account)
            if task is None:
                return refused(400, "task_not_exist", "task_not_exist")
            return suno_actions.act(kind, task, name, self.station.clock.now())

        return self.account_route(path, answer, submits=True)

    async def persona(self, request: Request, account: str) -> Response:
        body = await read_object(request) or {}
        if self.finished(request, text_of(body, "root_clip_id") or "?", account) is None:
            return refused(400, "task_not_exist", "task_not_exist")
        if not body.get("name"):
            return self.renderer.invalid("name is empty")
        return suno_actions.persona(body)

    async def tags(self, request: Request, account: str) -> Response:
        del account
        body = await read_object(request) or {}
        if not text_of(body, "original_tags"):
            return self.renderer.invalid("tags are empty")
        return suno_actions.longer_tags(body)


class SunoFeedHandlers(SunoHandlers):
    """Suno's own web service."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every route; the most polled path comes first."""
        return (
            self.account_route(f"{root}/feed/{{names}}", self.feed),
            self.poll_route(f"{root}/lyrics/{{name}}"),
            self.operation_route(f"{root}/generate", operation_of_songs),
            self.operation_route(f"{root}/generate/concat", "concat"),
            self.operation_route(f"{root}/generate/lyrics/", "lyrics"),
        )

    async def feed(self, request: Request, account: str) -> Response:
        names = request.path_params["names"].split(",")
        task = self.find(request, names[0] or "?", account)
        return await engine.poll(self.station, SunoFeedRenderer(frozenset(names)), task)


class SunoOfficialHandlers(SunoHandlers):
    """The official style: an endpoint and a record for each kind of result."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every route; the most polled paths come first."""
        operations = {
            "generate": "music",
            "generate/extend": "extend",
            "generate/replace-section": "infill",
            "lyrics": "lyrics",
            "wav/generate": "wav",
            "mp4/generate": "mp4",
        }
        return (
            *(
                self.poll_route(f"{root}/{kind}/record-info", name_of=_queried_id)
                for kind in ("generate", "lyrics", "wav", "mp4")
            ),
            *(self.operation_route(f"{root}/{path}", name) for path, name in operations.items()),
            self.account_route(
                f"{root}/generate/get-timestamped-lyrics", self.timing, "POST", submits=True
            ),
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

    async def timing(self, request: Request, account: str) -> Response:
        body = await read_object(request) or {}
        if self.finished(request, text_of(body, "audioId") or "?", account) is None:
            return self.renderer.invalid("The audio does not exist.")
        timed = [
            {"word": each["word"], "success": True, "startS": each["start_s"], "palign": 1}
            for each in aligned_words()
        ]
        return coded(200, "success", {"alignedWords": timed, "waveformData": [], "hootCer": 0.0})


def _queried_id(request: Request) -> str:
    return request.query_params.get("taskId") or "?"
