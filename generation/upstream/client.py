"""What genq asks of upstreams: submit, query, find, cancel, and the balance of a key.

Each method builds an operation's call, sends it as the binding's station and key want it, and
parses the reply. All of them raise a `Fault` and nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from generation.contract.call import Call
from generation.contract.errors import Rejected, UnrecognizedReply
from generation.contract.given import given_in
from generation.contract.operation import Order, Parent, Task, Unlisted
from generation.contract.reply import Reply
from generation.contract.status import Ask, Status, SubmitAnswer
from generation.contract.usable_assets import read_submit, usable_each
from generation.job import Job
from generation.providers.kit.balance import Balance, BalanceQuery
from generation.settings import Settings
from generation.stations.binding import Binding
from generation.upstream.asset_urls import located
from generation.upstream.exchange import StationExchange
from generation.upstream.http import IncompleteReply
from generation.upstream.parsing import answer_of, doubt_about, parsed, usable_only
from generation.upstream.polling_urls import ForeignHostLog, foreign_host, not_found_here
from generation.upstream.requests import build_input, build_submit
from generation.upstream.transcript import UpstreamAnswer, no_transcript, transcript_of

#: An adapter that asks for more exchanges than this in one look is taken to loop.
MAX_ASKS = 3

Answer = TypeVar("Answer")
Send = Callable[[Binding, Call], Awaitable[Reply]]


class Upstream:
    """The client of one process for all stations. Use it on one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._exchange = StationExchange(settings)
        self._foreign_hosts = ForeignHostLog()

    async def close(self) -> None:
        await self._exchange.close()

    async def submit(
        self,
        binding: Binding,
        job: Job,
        *,
        callback_url: str | None = None,
        parent: Parent | None = None,
    ) -> UpstreamAnswer[SubmitAnswer]:
        """Send the one request that costs money."""
        operation, station_url = binding.operation, binding.station.url
        call = build_submit(binding, job, callback_url, parent)
        given = given_in(job.input, call.json, call.params)

        def parse(reply: Reply) -> SubmitAnswer:
            return read_submit(operation, replace(reply, given=given), station_url)

        submitted = await self._submit(binding, call, parse)
        if isinstance(submitted.answer, Ask):
            submitted = await self._query(binding, submitted.answer)
        return replace(submitted, answer=located(submitted.answer, station_url))

    async def send_input(
        self, binding: Binding, task: Task, answer: Mapping[str, Any]
    ) -> UpstreamAnswer[SubmitAnswer]:
        """Send the input that a task waits for. It may cost money."""
        call = build_input(binding, task, answer)
        parse = usable_only(binding.operation.parse_input, binding.station.url)
        sent = await self._submit(binding, call, parse)
        return replace(sent, answer=located(sent.answer, binding.station.url))

    async def query(self, binding: Binding, task: Task) -> UpstreamAnswer[Status]:
        """Look at one task."""
        queried = await self._query(binding, Ask(binding.operation.build_query(task)))
        return replace(queried, answer=located(queried.answer, binding.station.url))

    async def query_batch(
        self, binding: Binding, upstream_ids: Sequence[str]
    ) -> Mapping[str, UpstreamAnswer[Status]]:
        """Look at many tasks of one key.

        Those missing from the reply are missing here.

        The operation must have a batch query.
        """
        operation, station_url = binding.operation, binding.station.url
        call = operation.build_batch_query(upstream_ids)
        assert call is not None, f"{operation.dialect} has no batch query"
        reply = await self._exchange.with_fresh_token(
            binding, lambda: self._exchange.look(binding, call)
        )
        statuses = usable_each(answer_of(operation.parse_batch_query, reply).answer, station_url)
        return {
            upstream_id: UpstreamAnswer(
                located(status, station_url), partial(transcript_of, reply, upstream_id)
            )
            for upstream_id, status in statuses.items()
        }

    async def find(self, binding: Binding, order: Order) -> str | Unlisted | None:
        """Search for the task of a submit whose answer was lost.

        Returns its upstream id, None if there surely is none, or `Unlisted` if that depends on how
        far back the upstream's list goes. The operation must have a search for this order.
        """
        operation = binding.operation
        call = operation.build_find(order)
        assert call is not None, f"{operation.dialect} cannot find a task by our id"
        found = await self._ask(
            binding, call, lambda reply: operation.parse_find(reply, order), self._exchange.ask
        )
        return found.answer

    async def cancel(self, binding: Binding, task: Task) -> bool | None:
        """Return whether the upstream agreed to stop the task; None if it has no such call."""
        call = binding.operation.build_cancel(task)
        if call is None:
            return None
        parse = binding.operation.parse_cancel
        return (await self._ask(binding, call, parse, self._exchange.ask)).answer

    async def balance(self, binding: Binding, query: BalanceQuery) -> Balance:
        """Return the balance of a key's account."""
        calls = query.build(datetime.now(UTC))
        replies = [await self._exchange.ask(binding, call) for call in calls]
        return parsed(lambda _: query.parse(replies), replies[-1])

    async def _submit(
        self, binding: Binding, call: Call, parse: Callable[[Reply], Answer]
    ) -> UpstreamAnswer[Answer]:
        async def submit() -> UpstreamAnswer[Answer]:
            try:
                reply = await self._exchange.submit(binding, call)
            except IncompleteReply as fault:
                raise doubt_about(fault, parse) from fault
            return answer_of(parse, reply)

        return await self._exchange.with_fresh_token(binding, submit)

    async def _query(self, binding: Binding, first: Ask) -> UpstreamAnswer[Any]:
        """Look, and look again as long as the adapter asks for one more exchange."""
        queried: UpstreamAnswer[Status] = UpstreamAnswer(first, no_transcript)
        parse = usable_only(binding.operation.parse_query, binding.station.url)
        for _ in range(MAX_ASKS):
            if not isinstance(queried.answer, Ask):
                return queried
            call = queried.answer.call
            queried = await self._ask(binding, call, parse, self._exchange.look)
        raise UnrecognizedReply("the upstream keeps asking for another exchange")

    async def _ask(
        self, binding: Binding, call: Call, parse: Callable[[Reply], Answer], send: Send
    ) -> UpstreamAnswer[Answer]:
        """Send a call that costs nothing, to the station's own domain only."""
        foreign = foreign_host(binding, call)
        if foreign:
            self._foreign_hosts.add(binding, foreign)
        own_call = call.otherwise if foreign and call.otherwise else call

        async def ask() -> UpstreamAnswer[Answer]:
            return answer_of(parse, await send(binding, own_call))

        try:
            return await self._exchange.with_fresh_token(binding, ask)
        except Rejected as fault:
            if (better := not_found_here(foreign, fault)) is fault:
                raise
            raise better from fault
