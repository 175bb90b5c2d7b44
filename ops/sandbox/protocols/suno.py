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

from ops.sandbox import desk
from ops.sandbox.doors import Door
from ops.sandbox.protocols import suno_acts, suno_window
from ops.sandbox.protocols.suno_faces import (
    FeedFace,
    OfficialFace,
    RawFace,
    RelayFace,
    coded,
    refused,
)
from ops.sandbox.protocols.suno_orders import order_of_songs
from ops.sandbox.protocols.suno_songs import aligned_words
from ops.sandbox.protocols.suno_window import Window
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.station import Station

TRADE = suno_window.TRADE


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint of every way of speaking."""
    return [
        *FamilyWindow(station, RelayFace()).doors("/suno"),
        *FamilyWindow(station, RawFace()).core_doors("/raw/suno"),
        *FeedWindow(station, FeedFace()).doors("/suno"),
        *OfficialWindow(station, OfficialFace()).doors("/api/v1"),
    ]


class FamilyWindow(Window):
    """The Suno-API protocol, and what stations add to it."""

    def core_doors(self, root: str) -> Sequence[Door]:
        """What every speaker of the protocol has; what is looked at most comes first."""
        return (
            Door(f"{root}/fetch/{{name}}", self.fetch),
            Door(f"{root}/fetch", self.fetch_many, methods=["POST"]),
            self.order_door(f"{root}/submit/music", order_of_songs),
            self.order_door(f"{root}/submit/lyrics", lambda _: "lyrics"),
        )

    def doors(self, root: str) -> Sequence[Door]:
        """The same with the additions."""
        return (
            *self.core_doors(root),
            self.order_door(f"{root}/submit/concat", lambda _: "concat"),
            self.order_door(f"{root}/uploads/audio-url", lambda _: "upload"),
            *(Door(f"{root}/act/{kind}/{{name}}", self._act(kind)) for kind in suno_acts.KINDS),
            Door(f"{root}/act/tags", self.tags, methods=["POST"]),
            Door(f"{root}/persona/create/", self.persona, methods=["POST"]),
        )

    async def fetch(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"], self.face)

    async def fetch_many(self, request: Request) -> Response:
        account = self.face.enter(request.headers, self.station.config, submits=False)
        if isinstance(account, Response):
            return account
        body = await read_object(request)
        if body is None or not isinstance(body.get("ids"), list):
            return self.face.invalid("ids is empty")
        names = dict.fromkeys(map(str, body["ids"]))
        found = [self.find(request, name, account) for name in names if name]
        known = [task for task in found if task is not None]
        return await desk.look_at_many(self.station, self.face, known, self.face.several)

    def _act(self, kind: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            account = self.face.enter(request.headers, self.station.config, submits=True)
            if isinstance(account, Response):
                return account
            name = request.path_params["name"]
            task = self.finished(request, name, account)
            if task is None:
                return refused(400, "task_not_exist", "task_not_exist")
            return suno_acts.act(kind, task, name, self.station.clock.now())

        return answer

    async def persona(self, request: Request) -> Response:
        account = self.face.enter(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return account
        body = await read_object(request) or {}
        if self.finished(request, text_of(body, "root_clip_id") or "?", account) is None:
            return refused(400, "task_not_exist", "task_not_exist")
        return suno_acts.persona(body) if body.get("name") else self.face.invalid("name is empty")

    async def tags(self, request: Request) -> Response:
        account = self.face.enter(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return account
        body = await read_object(request) or {}
        known = bool(text_of(body, "original_tags"))
        return suno_acts.longer_tags(body) if known else self.face.invalid("tags are empty")


class FeedWindow(Window):
    """Suno's own web service."""

    def doors(self, root: str) -> Sequence[Door]:
        return (
            Door(f"{root}/feed/{{names}}", self.feed),
            Door(f"{root}/lyrics/{{name}}", self.words),
            self.order_door(f"{root}/generate", order_of_songs),
            self.order_door(f"{root}/generate/concat", lambda _: "concat"),
            self.order_door(f"{root}/generate/lyrics/", lambda _: "lyrics"),
        )

    async def feed(self, request: Request) -> Response:
        names = request.path_params["names"].split(",")
        return await self.look(request, names[0] or "?", FeedFace(frozenset(names)))

    async def words(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"], self.face)


class OfficialWindow(Window):
    """The official style: an endpoint and a record for each kind of thing."""

    def doors(self, root: str) -> Sequence[Door]:
        kinds = ("generate", "lyrics", "wav", "mp4")
        return (
            *(Door(f"{root}/{kind}/record-info", self.record) for kind in kinds),
            self.order_door(f"{root}/generate", lambda _: "music"),
            self.order_door(f"{root}/generate/extend", lambda _: "extend"),
            self.order_door(f"{root}/generate/replace-section", lambda _: "infill"),
            self.order_door(f"{root}/lyrics", lambda _: "lyrics"),
            self.order_door(f"{root}/wav/generate", lambda _: "wav"),
            self.order_door(f"{root}/mp4/generate", lambda _: "mp4"),
            Door(f"{root}/generate/get-timestamped-lyrics", self.timing, methods=["POST"]),
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
        return await self.look(request, request.query_params.get("taskId") or "?", self.face)

    async def timing(self, request: Request) -> Response:
        account = self.face.enter(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return account
        body = await read_object(request) or {}
        if self.finished(request, text_of(body, "audioId") or "?", account) is None:
            return self.face.invalid("The audio does not exist.")
        sung = [
            {"word": each["word"], "success": True, "startS": each["start_s"], "palign": 1}
            for each in aligned_words()
        ]
        return coded(200, "success", {"alignedWords": sung, "waveformData": [], "hootCer": 0.0})
