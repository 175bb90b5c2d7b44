"""Kling's v1 protocol: text and image to video, looks by either id, lists, callbacks.

Spoken twice: under /v1/videos as the vendor does (signed token or plain key), and under
/kling/v1/videos as a relay passes it through (its own bearer key, its own errors at the door).
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import desk
from ops.sandbox.dialect import Face, Refusal
from ops.sandbox.doors import Door
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.kling_envelope import Relay, Vendor, tell
from ops.sandbox.protocols.kling_requests import ENDPOINTS, prompt_of, seconds_of
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Order, Trade, UpstreamTask

TRADE = Trade(
    provider="kling",
    typical_seconds={name: endpoint.typical_seconds for name, endpoint in ENDPOINTS.items()},
    queues=False,
    unique_references=True,
    asset_life_seconds=30 * 24 * 3600.0,
    tell=tell,
)
PAGE_SIZE, LARGEST_PAGE = 30, 500
LAST_PAGE = 1000


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint, at the vendor's own paths and under a relay's prefix."""
    windows = (("/v1/videos", Vendor()), ("/kling/v1/videos", Relay()))
    return [
        door
        for root, face in windows
        for operation in ENDPOINTS
        for door in Window(station, face, operation).doors(f"{root}/{operation}")
    ]


class Window:
    """One operation at one face."""

    def __init__(self, station: Station, face: Face, operation: str) -> None:
        self._station = station
        self._face = face
        self._operation = operation

    def doors(self, path: str) -> Sequence[Door]:
        """The operation's endpoints; what is looked at most comes first."""
        return (
            Door(f"{path}/{{name}}", self.query),
            Door(path, self.create, methods=["POST"]),
            Door(path, self.page),
        )

    async def create(self, request: Request) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=True)
        if isinstance(account, Response):
            return desk.turn_away(self._station, account)
        body = await read_object(request)
        if body is None:
            reply = self._face.invalid("request body is not a JSON object")
            return desk.refuse(self._station, Refusal.INVALID, reply)
        complaint = ENDPOINTS[self._operation].complaint(body)
        if complaint is not None:
            return desk.refuse(self._station, Refusal.INVALID, self._face.invalid(complaint))
        return await desk.submit(self._station, self._face, self._order(request, account, body))

    async def query(self, request: Request) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self._find(request.path_params["name"], account)
        return await desk.look(self._station, self._face, task)

    async def page(self, request: Request) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        number = _whole_number(request.query_params.get("pageNum", "1"), LAST_PAGE)
        size = _whole_number(request.query_params.get("pageSize", str(PAGE_SIZE)), LARGEST_PAGE)
        if number is None or size is None:
            return self._face.invalid("pageNum or pageSize is invalid")
        ours = (task for task in self._station.board.newest() if self._is_ours(task, account))
        tasks = [*islice(ours, (number - 1) * size, number * size)]
        return await desk.list_tasks(self._station, self._face, tasks, self._face.several)

    def _order(self, request: Request, account: str, body: dict[str, Any]) -> Order:
        prompt = prompt_of(body)
        return Order(
            trade=TRADE,
            task_id=f"{self._station.new_number()}00",
            operation=self._operation,
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference=text_of(body, "external_task_id"),
            base_url=base_url(self._station, request),
            callback_url=text_of(body, "callback_url"),
            details={"seconds": seconds_of(body)},
        )

    def _find(self, name: str, account: str) -> UpstreamTask | None:
        board = self._station.board
        task = board.get(name) or board.by_reference(TRADE.provider, account, name)
        return task if task is not None and self._is_ours(task, account) else None

    def _is_ours(self, task: UpstreamTask, account: str) -> bool:
        order = task.order
        same = order.trade is TRADE and order.operation == self._operation
        return same and order.account == account


def _whole_number(text: str, largest: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= largest else None
