"""Midjourney's commands in the two dialects of the midjourney-proxy protocol.

`midjourney.proxy` is a proxy spoken to directly; it lists its tasks and can cancel. A
`midjourney.station` is a relay in front of proxies (new-api and its kin): it forwards the same
paths, but its books lag behind the proxy's by up to 15 seconds, and it neither lists nor cancels.
Paths begin at the root, without a speed prefix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar, cast
from urllib.parse import quote

from generation.contract.call import Call
from generation.contract.operation import Operation, Order, Task, Unlisted
from generation.contract.reply import Reply
from generation.contract.request import Request
from generation.contract.status import Status, SubmitAnswer, Succeeded
from generation.polling.pace import Pace
from generation.providers.midjourney import commands
from generation.providers.midjourney.buttons import is_offered
from generation.providers.midjourney.commands import Command
from generation.providers.midjourney.followups import ActionRequest, SeedRequest, WindowInput
from generation.providers.midjourney.reply import (
    read_batch_query,
    read_cancel,
    read_find,
    read_query,
    read_seed,
    read_submit,
)
from generation.providers.midjourney.request import MidjourneyRequest, followed

R = TypeVar("R", bound=MidjourneyRequest)

MOST_IN_A_BATCH = 100


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which end of the protocol is spoken to."""

    name: str
    #: How often its books change.
    refresh: timedelta
    #: Whether it lists its tasks and can stop them.
    is_proxy: bool


PROXY = Dialect("midjourney.proxy", timedelta(seconds=3), is_proxy=True)
STATION = Dialect("midjourney.station", timedelta(seconds=15), is_proxy=False)


class MidjourneyOperation(Operation[R]):
    """One command, submitted and looked at.

    One that is answered with its result leaves no task that could be looked at, found or stopped.
    """

    provider = "midjourney"

    def __init__(self, dialect: Dialect, command: Command[R]) -> None:
        durations, deadline = command.pace
        self.dialect = dialect.name
        self.name = command.name
        self.summary = command.summary
        self.request = command.request
        self.example = command.example
        self.follows = command.follows
        self.input_request = command.input_request
        self.pace = Pace(durations, floor=dialect.refresh, deadline=deadline)
        self.submit_timeout = command.answers_within
        self._has_task = command.answers_within is None
        self.batch_limit = MOST_IN_A_BATCH if self._has_task else 0
        self._can_find = dialect.is_proxy and command.makes_task
        self._can_cancel = dialect.is_proxy and self._has_task
        self._relayed = not dialect.is_proxy
        self._path = command.path
        self._action = command.action
        self.gives_back = command.name == commands.UPLOAD.name

    def build_submit(self, request: R, order: Order) -> Call:
        body = request.body(order.parent)
        if self._has_task:
            body["state"] = order.job_id
            if order.callback_url:
                body["notifyHook"] = order.callback_url
        return Call("POST", self._path, body)

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        return read_submit(reply)

    def build_query(self, task: Task) -> Call:
        return Call("GET", _task_path(task, "fetch"))

    def parse_query(self, reply: Reply) -> Status:
        return self._offered(read_query(reply, self._action))

    def build_batch_query(self, upstream_ids: Sequence[str]) -> Call | None:
        return Call("POST", "/mj/task/list-by-condition", {"ids": list(upstream_ids)})

    def parse_batch_query(self, reply: Reply) -> Mapping[str, Status]:
        statuses = read_batch_query(reply)
        return {upstream_id: self._offered(each) for upstream_id, each in statuses.items()}

    def _offered(self, status: Status) -> Status:
        """A success with the buttons that can be pressed in this dialect."""
        if not isinstance(status, Succeeded):
            return status
        actions = (
            each for each in status.actions if is_offered(each.custom_id, relayed=self._relayed)
        )
        return replace(status, actions=tuple(actions))

    def build_find(self, order: Order) -> Call | None:
        del order  # the list takes no condition; the task's `state` names the job
        return Call("GET", "/mj/task/list") if self._can_find else None

    def parse_find(self, reply: Reply, order: Order) -> str | Unlisted:
        return read_find(reply, order)

    def build_input(self, request: Request, task: Task) -> Call:
        """The window's answer. The task keeps its id, and its `state` with it."""
        told = cast(WindowInput, request).wire()
        return Call("POST", commands.MODAL.path, {"taskId": task.upstream_id, **told})

    def parse_input(self, reply: Reply) -> SubmitAnswer:
        return read_submit(reply)

    def build_cancel(self, task: Task) -> Call | None:
        return Call("POST", _task_path(task, "cancel")) if self._can_cancel else None

    def parse_cancel(self, reply: Reply) -> bool:
        return read_cancel(reply)


class ActionOperation(MidjourneyOperation[ActionRequest]):
    """A button, whose window may be answered before it opens."""

    def early_input(self, request: ActionRequest) -> WindowInput | None:
        """What to send as soon as the task awaits input; None where the caller gave nothing."""
        return request.early_input


class SeedOperation(MidjourneyOperation[SeedRequest]):
    """A question about a finished task, which costs nothing and may be asked again."""

    repeatable = True

    def build_submit(self, request: SeedRequest, order: Order) -> Call:
        asked = quote(followed(request.upstream_id, order.parent), safe="")
        return Call("GET", self._path.format(id=asked))

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        return read_seed(reply)


def _spoken(dialect: Dialect, *own: Command[Any]) -> tuple[Operation[Any], ...]:
    """What both dialects have, and what only this one has."""
    shared: tuple[Command[Any], ...] = (
        commands.IMAGINE,
        commands.BLEND,
        commands.DESCRIBE,
        commands.SHORTEN,
        commands.CHANGE,
        commands.MODAL,
        commands.EDITS,
        commands.VIDEO_COMMAND,
        commands.UPLOAD,
    )
    return (
        *(MidjourneyOperation(dialect, command) for command in (*shared, *own)),
        ActionOperation(dialect, commands.ACTION),
        SeedOperation(dialect, commands.SEED),
    )


OPERATIONS: tuple[Operation[Any], ...] = (
    *_spoken(PROXY, commands.RETEXTURE, commands.SWAP_FACE),
    *_spoken(STATION, commands.RELAYED_SWAP_FACE),
)


def _task_path(task: Task, verb: str) -> str:
    return f"/mj/task/{quote(task.upstream_id, safe='')}/{verb}"
