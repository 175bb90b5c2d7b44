"""Kling's protocols: both generations of the vendor's API, and two ways relays offer the first.

v1 is spoken twice: at the root as the vendor does (signed token or plain key), and under /kling as
a relay passes it through (its own bearer key, its own errors at the door). Its tasks are looked at
by either id and listed, and callbacks are sent. The second API is at the root as well. Under
/newapi/kling is a new-api station that rebuilds requests and keeps books of its own.
"""

from collections.abc import Sequence
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import desk
from ops.sandbox.dialect import Face, Refusal
from ops.sandbox.doors import Door
from ops.sandbox.protocols.kling_calls import call_doors
from ops.sandbox.protocols.kling_envelope import Relay, Vendor
from ops.sandbox.protocols.kling_newapi import newapi_doors
from ops.sandbox.protocols.kling_orders import TRADE, order_of
from ops.sandbox.protocols.kling_requests import TASKS
from ops.sandbox.protocols.kling_results import ENDPOINTS
from ops.sandbox.protocols.kling_second import second_doors
from ops.sandbox.replies import read_object
from ops.sandbox.station import Station
from ops.sandbox.tasks import UpstreamTask

PAGE_SIZE, LARGEST_PAGE = 30, 500
LAST_PAGE = 1000


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint at every face. Calls come first: their paths look like tasks of others."""
    vendor, relay = Vendor(), Relay()
    own = [
        door
        for name, endpoint in ENDPOINTS.items()
        for door in Window(station, vendor, name).doors(endpoint.path)
    ]
    passed_on = [
        door
        for name, endpoint in ENDPOINTS.items()
        if endpoint.relayed
        for door in Window(station, relay, name).doors(f"/kling{endpoint.path}")
    ]
    return [
        *call_doors(station, vendor),
        *own,
        *passed_on,
        *second_doors(station, vendor),
        *newapi_doors(station),
    ]


class Window:
    """One operation at one face of v1."""

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
        complaint = TASKS[self._operation].complaint(body)
        if complaint is not None:
            return desk.refuse(self._station, Refusal.INVALID, self._face.invalid(complaint))
        order = order_of(self._station, request, account, self._operation, body)
        return await desk.submit(self._station, self._face, order)

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

    def _find(self, name: str, account: str) -> UpstreamTask | None:
        board = self._station.board
        task = board.get(name) or board.by_reference(TRADE.provider, account, name)
        return task if task is not None and self._is_ours(task, account) else None

    def _is_ours(self, task: UpstreamTask, account: str) -> bool:
        order = task.order
        same = order.trade is TRADE and order.operation == self._operation
        return same and order.account == account and "tell" not in order.details


def _whole_number(text: str, largest: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= largest else None
