"""The interface of renderers: a protocol renders each decision of the engine in its own form."""

from enum import StrEnum
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.config import SandboxConfig
from ops.sandbox.tasks import SandboxTask, View


class Refusal(StrEnum):
    """The reason why no task was created, or why a poll is refused."""

    AUTH = "auth"
    NO_CREDIT = "no-credit"
    INVALID = "invalid"
    MODERATED = "moderated"
    THROTTLED = "throttle"
    QUEUE_FULL = "queue-full"
    DUPLICATE = "duplicate"  #: this account used this job reference before


class TaskRenderer(Protocol):
    """Renders the engine's decisions in the form of one protocol."""

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        """The response to a submit that created no task, or to a throttled poll."""
        ...

    def accepted(self, task: SandboxTask, place: int) -> Response:
        """The response to a submit; `place` is the task's queue position, 0 if it runs."""
        ...

    def accepted_without_id(self) -> Response:
        """The same without the id."""
        ...

    def found(self, task: SandboxTask, view: View) -> Response:
        """The response to a poll of one task."""
        ...

    def not_found(self) -> Response:
        """The response to a poll of an unknown task."""
        ...


class ProtocolRenderer(TaskRenderer, Protocol):
    """A renderer that authenticates callers too and rejects invalid parameters."""

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        """The caller's account, or the response that rejects the key."""
        ...

    def invalid(self, message: str) -> Response:
        """The response to an invalid parameter."""
        ...

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        """The response to a poll of many tasks."""
        ...
