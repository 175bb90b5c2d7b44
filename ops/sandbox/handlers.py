"""Base class of every protocol's handlers: authentication, submits, polls and task lookup."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import engine
from ops.sandbox.dialect import ProtocolRenderer, Refusal, TaskRenderer
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.replies import read_object
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import Phase, ProviderProfile, SandboxTask, TaskSubmission

R = TypeVar("R", bound=ProtocolRenderer)


class SubmitCall(NamedTuple):
    """An authenticated submit with a JSON object as its body."""

    request: Request
    account: str
    body: dict[str, Any]


#: Handles an authenticated request; the text is the account.
AccountEndpoint = Callable[[Request, str], Awaitable[Response]]
#: Turns a submit into a valid submission, or into the response that rejects it.
ReadSubmit = Callable[[SubmitCall], TaskSubmission | Response]


class ProtocolHandlers(Generic[R]):
    """Handlers of one renderer under one root path; subclasses list the routes."""

    #: The message about a body that is not a JSON object.
    not_an_object = "Input should be a valid dictionary"

    def __init__(self, station: SandboxStation, renderer: R, profile: ProviderProfile) -> None:
        self.station = station
        self.renderer = renderer
        self.profile = profile

    def account_route(
        self, path: str, endpoint: AccountEndpoint, method: str = "GET", *, submits: bool = False
    ) -> SandboxRoute:
        """A route whose endpoint is called with the account; other callers get a refusal."""

        async def handle(request: Request) -> Response:
            account = self.authenticate(request, submits=submits)
            return account if isinstance(account, Response) else await endpoint(request, account)

        return SandboxRoute(path, handle, methods=[method])

    def submit_route(self, path: str, read: ReadSubmit) -> SandboxRoute:
        """A POST route that creates a task from the submission that `read` returns."""

        async def handle(request: Request) -> Response:
            return await self.submit(request, read)

        return SandboxRoute(path, handle, methods=["POST"])

    def poll_route(
        self,
        path: str,
        renderer: TaskRenderer | None = None,
        name_of: Callable[[Request], str] = lambda request: request.path_params["name"],
    ) -> SandboxRoute:
        """A route that answers a poll of the task that `name_of(request)` names."""

        async def poll(request: Request, account: str) -> Response:
            task = self.find(request, name_of(request), account)
            return await engine.poll(self.station, renderer or self.renderer, task)

        return self.account_route(path, poll)

    def poll_many_route(self, path: str, ids_missing: Callable[[], Response]) -> SandboxRoute:
        """A POST route that answers a poll of the tasks in the body's `ids`."""

        async def poll_many(request: Request, account: str) -> Response:
            body = await read_object(request)
            if body is None or not isinstance(body.get("ids"), list):
                return ids_missing()
            names = dict.fromkeys(map(str, body["ids"]))
            found = [self.find(request, name, account) for name in names if name]
            tasks = [task for task in found if task is not None]
            return await engine.poll_many(self.station, self.renderer, tasks, self.renderer.several)

        return self.account_route(path, poll_many, "POST")

    def authenticate(self, request: Request, *, submits: bool) -> str | Response:
        """The caller's account, or the response that rejects the key."""
        return self.renderer.authenticate(request.headers, self.station.config, submits=submits)

    async def submit(self, request: Request, read: ReadSubmit) -> Response:
        """Authenticate and read a submit, then create its task; count rejected ones as refused."""
        account = self.authenticate(request, submits=True)
        if isinstance(account, Response):
            return engine.reject_key(self.station, account)
        body = await read_object(request)
        if body is None:
            return self.refuse(self.renderer.invalid(self.not_an_object))
        call = SubmitCall(request, account, body)
        submission = read(call)
        if isinstance(submission, Response):
            return self.refuse(submission)
        return await self.create(call, submission)

    async def create(self, call: SubmitCall, submission: TaskSubmission) -> Response:
        """Create the task of a valid submission."""
        del call
        return await engine.submit(self.station, self.renderer, submission)

    def refuse(self, reply: Response) -> Response:
        """Count an invalid submit and return `reply`."""
        return engine.refuse(self.station, Refusal.INVALID, reply)

    def submission(
        self,
        request: Request,
        account: str,
        operation: str,
        prompt: str,
        details: Mapping[str, Any],
        *,
        task_id: str = "",
        reference: str = "",
        callback_url: str = "",
    ) -> TaskSubmission:
        """A submission of this provider; without `task_id`, its id is a new UUID."""
        return TaskSubmission(
            profile=self.profile,
            task_id=task_id or str(uuid4()),
            operation=operation,
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference=reference,
            base_url=base_url(self.station, request),
            callback_url=callback_url,
            details={"renderer": self.renderer, **details},
        )

    def find(self, request: Request, name: str, account: str) -> SandboxTask | None:
        """The task with this id, if `owns` says that the account may see it here."""
        del request
        task = self.station.task_store.get(name)
        return task if task is not None and self.owns(task, account) else None

    def owns(self, task: SandboxTask, account: str) -> bool:
        """Whether this account submitted the task through this renderer."""
        submission = task.submission
        renderer = submission.details.get("renderer")
        return submission.account == account and renderer is self.renderer

    def finished(self, request: Request, name: str, account: str) -> SandboxTask | None:
        """The same as `find`, but only for a task that succeeded."""
        task = self.find(request, name, account)
        succeeded = task is not None and self.station.view(task).phase is Phase.SUCCEEDED
        return task if succeeded else None

    def newest(self, account: str, offset: int, limit: int) -> Sequence[SandboxTask]:
        """A page of the account's tasks, newest first."""
        tasks = (task for task in self.station.task_store.newest() if self.owns(task, account))
        return [*islice(tasks, offset, offset + limit)]

    async def list_tasks(self, tasks: Sequence[SandboxTask]) -> Response:
        """Answer a listing of these tasks."""
        return await engine.list_tasks(self.station, self.renderer, tasks, self.renderer.several)
