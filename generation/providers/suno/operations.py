"""Suno's orders in every dialect that can speak them."""

from collections.abc import Mapping, Sequence
from typing import Any

from generation.contract.call import Call
from generation.contract.errors import InDoubt, NotAccepted
from generation.contract.operation import Operation, Order, Task
from generation.contract.reply import Reply
from generation.contract.request import Request
from generation.contract.status import Status, SubmitAnswer
from generation.polling.pace import Pace
from generation.providers.suno.commands import COMMANDS, Command
from generation.providers.suno.family import FEED, NEWAPI, ONEPATH, RAW
from generation.providers.suno.official import TASKID
from generation.providers.suno.products import Product
from generation.providers.suno.reply import read_batch, read_query, read_submit
from generation.providers.suno.ways import Dialect


class SunoOperation(Operation[Request]):
    """One order in one dialect. No dialect carries an id of ours, so none can find a lost task."""

    provider = "suno"
    built_to_check = True

    def __init__(self, command: Command, dialect: Dialect) -> None:
        self.dialect = dialect.name
        self.name = command.name
        self.summary = command.summary
        self.request = command.request
        self.example = command.example
        times = command.times
        self.pace = Pace(times.durations, floor=dialect.refresh, deadline=times.deadline)
        self.batch_limit = dialect.batch_limit
        self.follows = command.follows & dialect.ways.keys()
        self.submit_timeout = command.submit_timeout
        self._way = dialect.ways[command.name]
        self._product = command.product
        self.gives_back = command.product is Product.UPLOAD
        self.repeatable = self._way.is_question

    def build_submit(self, request: Request, order: Order) -> Call:
        """Raises `Rejected` where the song to go on with is missing or the dialect needs more."""
        return self._way.make(request, order)

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        """A question that broke on its way has created nothing, and is asked again."""
        try:
            return read_submit(reply, self._product)
        except InDoubt as fault:
            if not self._way.is_question:
                raise
            raise NotAccepted(
                fault.message,
                upstream_status=fault.upstream_status,
                upstream_code=fault.upstream_code,
                retry_after=fault.retry_after,
            ) from fault

    def build_query(self, task: Task) -> Call:
        return self._way.look(task)

    def parse_query(self, reply: Reply) -> Status:
        return read_query(reply, self._product)

    def build_batch_query(self, upstream_ids: Sequence[str]) -> Call | None:
        if not self.batch_limit:
            return None
        return Call("POST", "/fetch", {"ids": list(upstream_ids)})

    def parse_batch_query(self, reply: Reply) -> Mapping[str, Status]:
        return read_batch(reply, self._product)

    @property
    def batch_group(self) -> str:
        """What a finished task must hold is known only from its order, never from the answer."""
        return f"{self.dialect}:{self._product.value}"


OPERATIONS: tuple[Operation[Any], ...] = tuple(
    SunoOperation(command, dialect)
    for dialect in (NEWAPI, ONEPATH, RAW, FEED, TASKID)
    for command in COMMANDS
    if command.name in dialect.ways
)
