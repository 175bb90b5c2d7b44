"""What a protocol has to say for itself: how it words each thing the desk may decide."""

from enum import StrEnum
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.config import SandboxConfig
from ops.sandbox.tasks import UpstreamTask, View


class Refusal(StrEnum):
    """Why nothing was created, or why a look is not answered."""

    AUTH = "auth"
    NO_CREDIT = "no-credit"
    INVALID = "invalid"
    MODERATED = "moderated"
    THROTTLED = "throttle"
    QUEUE_FULL = "queue-full"
    DUPLICATE = "duplicate"  #: this account used this job reference before


class TaskRenderer(Protocol):
    """How one protocol words what the desk decides."""

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        """The answer to a submit that created nothing, or (throttled) to a look."""
        ...

    def accepted(self, task: UpstreamTask, place: int) -> Response:
        """The answer to a submit; `place` is the task's place in the queue, 0 if it runs."""
        ...

    def accepted_without_id(self) -> Response:
        """The same with the id left out."""
        ...

    def found(self, task: UpstreamTask, view: View) -> Response:
        """The answer to a look at one task."""
        ...

    def not_found(self) -> Response:
        """The answer to a look at a task nobody knows."""
        ...


class ProtocolRenderer(TaskRenderer, Protocol):
    """A dialect with a door: how callers come in, and what it says of their parameters."""

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        """The account the caller signed in to, or what it is told at the door."""
        ...

    def invalid(self, message: str) -> Response:
        """The answer to a parameter that is wrong."""
        ...

    def several(self, seen: list[tuple[UpstreamTask, View]]) -> Response:
        """The answer to a look at many tasks."""
        ...
