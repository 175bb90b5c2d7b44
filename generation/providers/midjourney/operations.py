"""
Midjourney's commands in the two dialects of the midjourney-proxy protocol.

`midjourney.proxy` is a proxy spoken to directly; it lists its tasks and can cancel. A
`midjourney.station` is a relay in front of proxies (new-api and its kin): it forwards the same
paths, but its books lag behind the proxy's by up to 15 seconds, and it neither lists nor cancels.
Paths begin at the root, without a speed prefix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote

from generation.operation import Call, Durations, Operation, Order, Pace, Reply, Task
from generation.providers.midjourney.reply import (
    read_batch_query,
    read_cancel,
    read_find,
    read_query,
    read_submit,
)
from generation.providers.midjourney.request import ImagineRequest, MidjourneyRequest
from generation.status import Status, SubmitAnswer

R = TypeVar("R", bound=MidjourneyRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[R]):
    """One submit of the protocol; the tasks it makes are all read alike."""

    name: str
    summary: str
    path: str
    request: type[R]
    #: What its tasks do, where a task does not say.
    action: str
    durations: Durations
    deadline: timedelta
    example: Mapping[str, Any]


IMAGINE = Command(
    name="imagine",
    summary="Draw a grid of four images from a prompt, with pictures to go by if there are any.",
    path="/mj/submit/imagine",
    request=ImagineRequest,
    action="IMAGINE",
    durations=Durations(
        early=timedelta(seconds=27), typical=timedelta(seconds=40), late=timedelta(minutes=4)
    ),
    # Fast tasks end within minutes; relaxed ones may wait most of an hour for their turn.
    deadline=timedelta(hours=1),
    example={"prompt": "a lighthouse at dusk, oil on canvas --ar 16:9 --v 7"},
)

COMMANDS = (IMAGINE,)


class MidjourneyOperation(Operation[R]):
    """One command, submitted and looked at. What else can be asked depends on the dialect."""

    provider = "midjourney"
    batch_limit = 100
    #: How often the dialect's books change.
    refresh: ClassVar[timedelta]

    def __init__(self, command: Command[R]) -> None:
        self.name = command.name
        self.summary = command.summary
        self.request = command.request
        self.example = command.example
        self.pace = Pace(command.durations, floor=self.refresh, deadline=command.deadline)
        self._path = command.path
        self._action = command.action

    def build_submit(self, request: R, order: Order) -> Call:
        body = request.wire() | {"state": order.job_id}
        if order.callback_url:
            body["notifyHook"] = order.callback_url
        return Call("POST", self._path, body)

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        return read_submit(reply)

    def build_query(self, task: Task) -> Call:
        return Call("GET", _task_path(task, "fetch"))

    def parse_query(self, reply: Reply) -> Status:
        return read_query(reply, self._action)

    def build_batch_query(self, upstream_ids: Sequence[str]) -> Call | None:
        return Call("POST", "/mj/task/list-by-condition", {"ids": list(upstream_ids)})

    def parse_batch_query(self, reply: Reply) -> Mapping[str, Status]:
        return read_batch_query(reply, self._action)


class ProxyOperation(MidjourneyOperation[R]):
    """A command at a proxy spoken to directly."""

    dialect = "midjourney.proxy"
    refresh = timedelta(seconds=3)

    def build_find(self, order: Order) -> Call | None:
        del order  # the list takes no condition; the task's `state` names the job
        return Call("GET", "/mj/task/list")

    def parse_find(self, reply: Reply, order: Order) -> str | None:
        return read_find(reply, order)

    def build_cancel(self, task: Task) -> Call | None:
        return Call("POST", _task_path(task, "cancel"))

    def parse_cancel(self, reply: Reply) -> bool:
        return read_cancel(reply)


class StationOperation(MidjourneyOperation[R]):
    """A command at a relay."""

    dialect = "midjourney.station"
    refresh = timedelta(seconds=15)


def _task_path(task: Task, verb: str) -> str:
    return f"/mj/task/{quote(task.upstream_id, safe='')}/{verb}"
