"""One face of Flux under one root: how an order is taken, looked at and canceled there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import desk
from ops.sandbox.dialect import Refusal
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.flux_faces import FluxFace
from ops.sandbox.protocols.flux_requests import Fault
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Order, Trade, UpstreamTask

VIDEO_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a submit asks for, whatever its form."""

    operation: str
    #: The model's own fields.
    said: dict[str, Any]
    callback_url: str
    faults: Iterable[Fault]
    #: What the face wants to remember.
    details: Mapping[str, Any]


class Window:
    """The endpoints of one face under one root; subclasses say where they are."""

    def __init__(self, station: Station, face: FluxFace, trade: Trade) -> None:
        self._station = station
        self._face = face
        self._trade = trade

    async def create(
        self, request: Request, read: Callable[[dict[str, Any]], Wish | None]
    ) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=True)
        if isinstance(account, Response):
            return desk.turn_away(self._station, account)
        body = await read_object(request)
        wish = None if body is None else read(body)
        if wish is None:
            reply = self._face.invalid("Input should be a valid dictionary")
            return desk.refuse(self._station, Refusal.INVALID, reply)
        if faults := [*wish.faults]:
            return desk.refuse(self._station, Refusal.INVALID, self._face.faulty(faults))
        return await desk.submit(self._station, self._face, self._order(request, account, wish))

    async def look(self, request: Request, name: str, face: FluxFace | None = None) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        return await desk.look(self._station, face or self._face, self.find(name, account))

    def find(self, name: str, account: str) -> UpstreamTask | None:
        """The task, if it is this account's and was ordered at this face."""
        task = self._station.board.get(name)
        if task is None or task.order.details.get("face") is not self._face:
            return None
        return task if task.order.account == account else None

    async def cancel(self, request: Request, name: str) -> UpstreamTask | Response:
        """The task, now canceled; else what the caller is told."""
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self.find(name, account)
        if task is None:
            return self._face.not_found()
        if not task.has_ended(self._station.clock.now()):
            self._station.end(task, canceled=True)
        return task

    def _order(self, request: Request, account: str, wish: Wish) -> Order:
        prompt = text_of(wish.said, "prompt")
        task_id = str(uuid4())
        seed = wish.said.get("seed")
        seconds = wish.said.get("duration")
        return Order(
            trade=self._trade,
            task_id=task_id,
            operation=wish.operation,
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference="",
            base_url=base_url(self._station, request),
            callback_url=wish.callback_url,
            details={
                "face": self._face,
                "root": str(request.base_url).rstrip("/"),
                "seed": seed if isinstance(seed, int) else crc32(task_id.encode()),
                "seconds": float(seconds) if isinstance(seconds, int) else VIDEO_SECONDS,
                "format": text_of(wish.said, "output_format"),
                **wish.details,
            },
        )
