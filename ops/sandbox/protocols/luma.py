"""Luma's protocols: the Dream Machine API, the Agents API, and the form relays give it.

None carries a reference of the caller's own, so the ledger knows each task by its own id. The
generations that examples name exist for everybody, so that follow-ups can be tried alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import desk
from ops.sandbox.dialect import Refusal
from ops.sandbox.doors import Door
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.luma_faces import Agents, DreamMachine, LumaFace, Relay
from ops.sandbox.protocols.luma_requests import (
    AGENTS,
    AUDIO,
    IMAGE,
    MODIFY_VIDEO,
    REFRAME_IMAGE,
    REFRAME_VIDEO,
    RELAY_EXTEND,
    RELAY_VIDEO,
    TYPES,
    UPSCALE,
    VIDEO,
    Endpoint,
    operation_of,
    prompt_of,
    seconds_of,
)
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Order, Phase, Trade, UpstreamTask, View

EXAMPLES = frozenset(
    {"123e4567-e89b-12d3-a456-426614174000", "4665a07c-7641-4809-a133-10786201bb56"}
)
#: Of a list, with what it is where nothing is said.
PAGE = (("limit", "100"), ("offset", "0"))
_VIDEO_SECONDS = 105.0
_IMAGE_SECONDS = 20.0


def tell(task: UpstreamTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task as the face which took the submit shows it."""
    face: LumaFace = task.order.details["face"]
    return face.task(task, seen)


TRADE = Trade(
    provider="luma",
    typical_seconds={
        **dict.fromkeys(("video", "extend", "reverse_extend", "interpolate"), _VIDEO_SECONDS),
        **dict.fromkeys(("reframe_video", "modify_video", "upscale"), _VIDEO_SECONDS),
        **dict.fromkeys(("image", "image_edit", "reframe_image"), _IMAGE_SECONDS),
        "audio": 60.0,
    },
    queues=False,
    unique_references=False,
    asset_life_seconds=365 * 24 * 3600.0,
    tell=tell,
)
#: The Agents API signs its files for an hour.
AGENTS_TRADE = replace(TRADE, asset_life_seconds=3600.0)


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint, each dialect under its own root."""
    dream = Window(station, DreamMachine(), TRADE).doors("/dream-machine/v1")
    agents = AgentsWindow(station, Agents(), AGENTS_TRADE).doors("/v1")
    return [*dream, *agents, *RelayWindow(station, Relay(), TRADE).doors("/luma")]


class Window:
    """The endpoints of one face: those of Dream Machine, unless a subclass says otherwise."""

    def __init__(self, station: Station, face: LumaFace, trade: Trade) -> None:
        self._station = station
        self._face = face
        self._trade = trade

    def doors(self, root: str) -> Sequence[Door]:
        """Every endpoint; what is looked at most comes first."""
        creates = {
            "/video": VIDEO,
            "": VIDEO,
            "/image": IMAGE,
            "/image/reframe": REFRAME_IMAGE,
            "/video/reframe": REFRAME_VIDEO,
            "/video/modify": MODIFY_VIDEO,
            "/{name}/upscale": UPSCALE,
            "/{name}/audio": AUDIO,
        }
        return (
            Door(f"{root}/generations/{{name}}", self.query),
            Door(f"{root}/generations", self.page),
            *(self.door(f"{root}/generations{path}", each) for path, each in creates.items()),
        )

    def door(self, path: str, endpoint: Endpoint) -> Door:
        """The door where one kind of task is ordered."""

        async def create(request: Request) -> Response:
            return await self.create(request, endpoint)

        return Door(path, create, methods=["POST"])

    async def create(self, request: Request, endpoint: Endpoint) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=True)
        if isinstance(account, Response):
            return desk.turn_away(self._station, account)
        body = await read_object(request)
        if body is None:
            reply = self._face.invalid("Input should be a valid dictionary")
            return desk.refuse(self._station, Refusal.INVALID, reply)
        followed = request.path_params.get("name")

        def is_finished(name: str) -> bool:
            task = self.find(request, name, account)
            return task is not None and self._station.view(task).phase is Phase.SUCCEEDED

        if followed is not None and not is_finished(followed):
            return desk.refuse(self._station, Refusal.INVALID, self._face.not_found())
        complaint = endpoint.complaint(body, is_finished)
        if complaint is not None:
            return desk.refuse(self._station, Refusal.INVALID, self._face.invalid(complaint))
        order = self.order(request, account, body, endpoint)
        return await desk.submit(self._station, self._face, order)

    async def query(self, request: Request) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self.find(request, request.path_params["name"], account)
        return await desk.look(self._station, self._face, task)

    async def page(self, request: Request) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        limit, offset = (request.query_params.get(*each) for each in PAGE)
        if not (limit.isdecimal() and offset.isdecimal()):
            return self._face.invalid("limit and offset are numbers")
        board = self._station.board.newest()
        ours = (task for task in board if self.find(request, task.id, account) is task)
        tasks = [*islice(ours, int(offset), int(offset) + int(limit))]
        return await desk.list_tasks(self._station, self._face, tasks, self._face.several)

    def order(
        self, request: Request, account: str, body: dict[str, Any], endpoint: Endpoint
    ) -> Order:
        prompt = prompt_of(body)
        return Order(
            trade=self._trade,
            task_id=str(uuid4()),
            operation=operation_of(endpoint, body),
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference="",
            base_url=base_url(self._station, request),
            callback_url=text_of(body, "callback_url") or text_of(body, "notify_hook"),
            details={
                "face": self._face,
                "model": text_of(body, "model"),
                "type": text_of(body, "type"),
                "request": body,
                "seconds": seconds_of(body),
            },
        )

    def find(self, request: Request, name: str, account: str) -> UpstreamTask | None:
        """The task, if it is this account's and was ordered at this face; or an example."""
        task = self._station.board.get(name)
        if name in EXAMPLES:
            return task or self._example(request, name)
        if task is None or task.order.details.get("face") is not self._face:
            return None
        return task if task.order.account == account else None

    def _example(self, request: Request, name: str) -> UpstreamTask:
        """A video that was finished before anybody asked, and that nobody paid."""
        body = {"prompt": "an example", "model": "ray-2", "type": "video"}
        order = self.order(request, "", body, VIDEO)
        now = self._station.clock.now()
        task = UpstreamTask(replace(order, task_id=name), now, 0.0)
        task.end(now)
        self._station.board.add(task, now, self._station.config.tasks_kept)
        return task


class AgentsWindow(Window):
    """One path for everything; the body says what it is."""

    def doors(self, root: str) -> Sequence[Door]:
        return (
            Door(f"{root}/generations/{{name}}", self.query),
            self.door(f"{root}/generations", AGENTS),
        )

    def order(
        self, request: Request, account: str, body: dict[str, Any], endpoint: Endpoint
    ) -> Order:
        kind = text_of(body, "type") or "image"
        named = endpoint._replace(operation=TYPES[kind])
        order = super().order(request, account, body, named)
        usual = "uni-1" if kind.startswith("image") else "ray-3.2"
        details = {"type": kind, "model": text_of(body, "model") or usual}
        return replace(order, details={**order.details, **details})


class RelayWindow(Window):
    """The site's own paths, and the look at many tasks."""

    def __init__(self, station: Station, face: Relay, trade: Trade) -> None:
        super().__init__(station, face, trade)
        self._relay = face

    def doors(self, root: str) -> Sequence[Door]:
        one = f"{root}/generations/{{name}}"
        return (
            Door(one, self.query),
            Door(f"{root}/tasks", self.query_many, methods=["POST"]),
            self.door(f"{root}/generations", RELAY_VIDEO),
            self.door(f"{root}/generations/", RELAY_VIDEO),
            self.door(f"{one}/extend", RELAY_EXTEND),
            Door(f"{one}/download_video_url", self.download),
        )

    async def query_many(self, request: Request) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        body = await read_object(request)
        if body is None or not isinstance(body.get("ids"), list):
            return self._face.invalid("ids is required")
        found = [self.find(request, name, account) for name in dict.fromkeys(map(str, body["ids"]))]
        known = [task for task in found if task is not None]
        return await desk.look_at_many(self._station, self._face, known, self._face.several)

    async def download(self, request: Request) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self.find(request, request.path_params["name"], account)
        return self._relay.download(task, task and self._station.view(task))
