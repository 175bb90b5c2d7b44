"""One order in one of Luma's dialects: what the dialects share and what sets them apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from generation.contract.call import Call
from generation.contract.operation import Operation, Order, Task
from generation.contract.reply import Reply
from generation.contract.status import AssetType, Status, SubmitAnswer
from generation.polling.pace import Pace, UsualDurations
from generation.providers.luma.reply import read_batch, read_find, read_query, read_submit
from generation.providers.luma.request import LumaRequest

#: The most that a list tells of.
LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One order as a dialect offers it."""

    name: str
    summary: str
    request: type[LumaRequest]
    example: Mapping[str, Any]
    medium: AssetType
    #: Seconds until half of the tasks are done.
    typical_seconds: float
    #: The operations whose finished jobs it can follow.
    follows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """A dialect, as far as it is the same for all its orders."""

    dialect: str
    #: Looking more often is of no use.
    floor: timedelta
    deadline: timedelta
    #: The field of a submit that holds the address to call back.
    callback_field: str | None = None
    #: The path that tells of many tasks at once, and how many it is asked about.
    batch_path: str | None = None
    batch_limit: int = 0
    #: The path that lists tasks with the address that each is to call back; it takes a `limit`.
    list_path: str | None = None
    #: True where the key is a relay's, and Luma's account is the relay's own.
    relayed: bool = False

    def pace(self, typical_seconds: float) -> Pace:
        """When one in ten and nine in ten are done is estimated."""
        typical = timedelta(seconds=typical_seconds)
        return Pace(
            durations=UsualDurations(early=typical * 0.5, typical=typical, late=typical * 2.5),
            floor=self.floor,
            ceiling=timedelta(seconds=15),
            deadline=self.deadline,
        )


class LumaOperation(Operation[LumaRequest]):
    """A task that is submitted and looked at.

    No dialect takes an id of ours or cancels a task; what has an address of ours to call back can
    be found by it, where tasks are listed.
    """

    provider = "luma"

    def __init__(self, speech: Speech, row: Row) -> None:
        self.dialect = speech.dialect
        self.name = row.name
        self.summary = row.summary
        self.request = row.request
        self.example = row.example
        self.follows = row.follows
        self.pace = speech.pace(row.typical_seconds)
        self.batch_limit = speech.batch_limit
        self._speech = speech
        self._medium = row.medium

    def build_submit(self, request: LumaRequest, order: Order) -> Call:
        draft = request.draft(order.parent)
        if draft.method != "POST":
            return Call(draft.method, draft.path)
        field = self._speech.callback_field
        callback = {field: order.callback_url} if field and order.callback_url else {}
        return Call(draft.method, draft.path, {**draft.body, **callback})

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        return read_submit(reply, self._medium, relayed=self._speech.relayed)

    def build_query(self, task: Task) -> Call:
        return Call("GET", f"/generations/{quote(task.upstream_id, safe='')}")

    def parse_query(self, reply: Reply) -> Status:
        return read_query(reply, self._medium, relayed=self._speech.relayed)

    def build_batch_query(self, upstream_ids: Sequence[str]) -> Call | None:
        if self._speech.batch_path is None:
            return None
        return Call("POST", self._speech.batch_path, {"ids": list(upstream_ids)})

    def parse_batch_query(self, reply: Reply) -> Mapping[str, Status]:
        if self._speech.batch_path is None:
            return super().parse_batch_query(reply)
        return read_batch(reply, self._medium)

    def build_find(self, order: Order) -> Call | None:
        if self._speech.list_path is None or order.callback_url is None:
            return None
        return Call("GET", self._speech.list_path, params={"limit": str(LISTED), "offset": "0"})

    def parse_find(self, reply: Reply, order: Order) -> str | None:
        return read_find(reply, order.callback_url or "")
