"""Kling's protocols: both generations of the vendor's API, and two ways relays offer the first.

v1 has two roots. At / it is the vendor's, with a signed token or a plain key; under /kling a relay
passes it on, with its own bearer key and its own errors for keys. Tasks are polled by either id
and listed, and callbacks are sent. The second API is at / too. Under /newapi/kling is a new-api
station that rebuilds requests and keeps its own records.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.dialect import ProtocolRenderer
from ops.sandbox.handlers import SubmitCall
from ops.sandbox.protocols.kling_calls import call_routes
from ops.sandbox.protocols.kling_envelope import KlingRelayRenderer, KlingVendorRenderer
from ops.sandbox.protocols.kling_handlers import PROFILE, KlingHandlers
from ops.sandbox.protocols.kling_newapi import newapi_routes
from ops.sandbox.protocols.kling_requests import TASKS
from ops.sandbox.protocols.kling_results import ENDPOINTS
from ops.sandbox.protocols.kling_second import second_routes
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import SandboxTask, TaskSubmission

__all__ = ["PROFILE", "routes"]

PAGE_SIZE, LARGEST_PAGE = 30, 500
LAST_PAGE = 1000


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every route. Calls come first, because the paths of tasks match theirs too."""
    vendor, relay = KlingVendorRenderer(), KlingRelayRenderer()
    v1 = [(vendor, name, endpoint.path) for name, endpoint in ENDPOINTS.items()]
    v1 += [
        (relay, name, f"/kling{endpoint.path}")
        for name, endpoint in ENDPOINTS.items()
        if endpoint.relayed
    ]
    return [
        *call_routes(station, vendor),
        *(
            route
            for renderer, name, path in v1
            for route in KlingTaskHandlers(station, renderer, name).routes(path)
        ),
        *second_routes(station),
        *newapi_routes(station),
    ]


class KlingTaskHandlers(KlingHandlers):
    """One operation of v1."""

    def __init__(self, station: SandboxStation, renderer: ProtocolRenderer, operation: str) -> None:
        super().__init__(station, renderer)
        self.operation = operation

    def routes(self, path: str) -> Sequence[SandboxRoute]:
        """The operation's routes; the most polled path comes first."""
        return (
            self.poll_route(f"{path}/{{name}}"),
            self.submit_route(path, self.read_task),
            self.account_route(path, self.page),
        )

    def read_task(self, call: SubmitCall) -> TaskSubmission | Response:
        complaint = TASKS[self.operation].complaint(call.body)
        if complaint is not None:
            return self.renderer.invalid(complaint)
        return self.read(call, self.operation, call.body)

    async def page(self, request: Request, account: str) -> Response:
        number = _whole_number(request.query_params.get("pageNum", "1"), LAST_PAGE)
        size = _whole_number(request.query_params.get("pageSize", str(PAGE_SIZE)), LARGEST_PAGE)
        if number is None or size is None:
            return self.renderer.invalid("pageNum or pageSize is invalid")
        return await self.list_tasks(self.newest(account, (number - 1) * size, size))

    def find(self, request: Request, name: str, account: str) -> SandboxTask | None:
        tasks = self.station.task_store
        task = tasks.get(name) or tasks.by_reference(PROFILE.provider, account, name)
        return task if task is not None and self.owns(task, account) else None

    def owns(self, task: SandboxTask, account: str) -> bool:
        """Whether it is this account's v1 task of this operation, at either root."""
        submission = task.submission
        same = submission.profile is PROFILE and submission.operation == self.operation
        return same and submission.account == account and "callback_body" not in submission.details


def _whole_number(text: str, largest: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= largest else None
