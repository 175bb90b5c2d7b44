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

from ops.sandbox import engine
from ops.sandbox.dialect import ProtocolRenderer, Refusal
from ops.sandbox.protocols.kling_calls import call_routes
from ops.sandbox.protocols.kling_envelope import KlingRelayRenderer, KlingVendorRenderer
from ops.sandbox.protocols.kling_newapi import newapi_routes
from ops.sandbox.protocols.kling_requests import TASKS
from ops.sandbox.protocols.kling_results import ENDPOINTS
from ops.sandbox.protocols.kling_second import second_routes
from ops.sandbox.protocols.kling_submissions import PROFILE, submission_of
from ops.sandbox.replies import read_object
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import Station
from ops.sandbox.tasks import UpstreamTask

PAGE_SIZE, LARGEST_PAGE = 30, 500
LAST_PAGE = 1000


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint at every face. Calls come first: their paths look like tasks of others."""
    vendor, relay = KlingVendorRenderer(), KlingRelayRenderer()
    own = [
        door
        for name, endpoint in ENDPOINTS.items()
        for door in KlingHandlers(station, vendor, name).routes(endpoint.path)
    ]
    passed_on = [
        door
        for name, endpoint in ENDPOINTS.items()
        if endpoint.relayed
        for door in KlingHandlers(station, relay, name).routes(f"/kling{endpoint.path}")
    ]
    return [
        *call_routes(station, vendor),
        *own,
        *passed_on,
        *second_routes(station, vendor),
        *newapi_routes(station),
    ]


class KlingHandlers:
    """One operation at one face of v1."""

    def __init__(self, station: Station, renderer: ProtocolRenderer, operation: str) -> None:
        self._station = station
        self._renderer = renderer
        self._operation = operation

    def routes(self, path: str) -> Sequence[SandboxRoute]:
        """The operation's endpoints; what is looked at most comes first."""
        return (
            SandboxRoute(f"{path}/{{name}}", self.query),
            SandboxRoute(path, self.create, methods=["POST"]),
            SandboxRoute(path, self.page),
        )

    async def create(self, request: Request) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=True)
        if isinstance(account, Response):
            return engine.reject_key(self._station, account)
        body = await read_object(request)
        if body is None:
            reply = self._renderer.invalid("request body is not a JSON object")
            return engine.refuse(self._station, Refusal.INVALID, reply)
        complaint = TASKS[self._operation].complaint(body)
        if complaint is not None:
            return engine.refuse(self._station, Refusal.INVALID, self._renderer.invalid(complaint))
        submission = submission_of(self._station, request, account, self._operation, body)
        return await engine.submit(self._station, self._renderer, submission)

    async def query(self, request: Request) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self._find(request.path_params["name"], account)
        return await engine.look(self._station, self._renderer, task)

    async def page(self, request: Request) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        number = _whole_number(request.query_params.get("pageNum", "1"), LAST_PAGE)
        size = _whole_number(request.query_params.get("pageSize", str(PAGE_SIZE)), LARGEST_PAGE)
        if number is None or size is None:
            return self._renderer.invalid("pageNum or pageSize is invalid")
        ours = (task for task in self._station.task_store.newest() if self._is_ours(task, account))
        tasks = [*islice(ours, (number - 1) * size, number * size)]
        return await engine.list_tasks(self._station, self._renderer, tasks, self._renderer.several)

    def _find(self, name: str, account: str) -> UpstreamTask | None:
        task_store = self._station.task_store
        task = task_store.get(name) or task_store.by_reference(PROFILE.provider, account, name)
        return task if task is not None and self._is_ours(task, account) else None

    def _is_ours(self, task: UpstreamTask, account: str) -> bool:
        submission = task.submission
        same = submission.profile is PROFILE and submission.operation == self._operation
        return same and submission.account == account and "callback_body" not in submission.details


def _whole_number(text: str, largest: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= largest else None
