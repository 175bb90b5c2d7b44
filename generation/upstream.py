"""
The only module that talks to an upstream.

It puts an operation's calls on the wire as the job's station and key want them, and reads what
comes back. Submits use connections of their own, each closed after one answer.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import httpx
import structlog

from generation.balance import Balance, BalanceQuery
from generation.binding import Binding
from generation.call import Call
from generation.credentials import Credentials
from generation.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    Rejected,
    UnrecognizedReply,
)
from generation.exchange import Exchanges, Outgoing, quoted
from generation.heard import Heard, silence, words_of
from generation.hosts import located
from generation.job import Job
from generation.operation import Order, Parent, Task, Unlisted
from generation.reply import Reply
from generation.settings import Settings
from generation.status import Ask, Status, SubmitAnswer

log = structlog.get_logger(__name__)

#: More exchanges than this for one look mean that an adapter goes in circles.
MOST_ASKS = 3
#: Kling says with these that its token is not valid yet, or no longer.
TOKEN_CODES = frozenset({"1003", "1004"})

Answer = TypeVar("Answer")


class Upstream:
    """One process's conversation with all stations. Lives on one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credentials = Credentials()
        connect, most_bytes = settings.connect_timeout, settings.max_reply_bytes
        self._looking = Exchanges(keep_alive=True, connect=connect, most_bytes=most_bytes)
        self._submitting = Exchanges(keep_alive=False, connect=connect, most_bytes=most_bytes)

    async def close(self) -> None:
        await self._looking.close()
        await self._submitting.close()

    async def submit(
        self,
        binding: Binding,
        job: Job,
        *,
        callback_url: str | None = None,
        parent: Parent | None = None,
    ) -> Heard[SubmitAnswer]:
        """Send the one request that costs money. Raises a `Fault`, nothing else."""
        operation = binding.operation
        call = build_submit(binding, job, callback_url, parent)
        heard = await self._with_fresh_token(
            binding, lambda: self._submit_once(binding, call, operation.parse_submit)
        )
        if isinstance(heard.answer, Ask):
            heard = await self._ask(binding, heard.answer)
        return Heard(located(heard.answer, binding.station.url), heard.say)

    async def query(self, binding: Binding, task: Task) -> Heard[Status]:
        """Look at one task. Raises a `Fault`, nothing else."""
        heard = await self._ask(binding, Ask(binding.operation.build_query(task)))
        return Heard(located(heard.answer, binding.station.url), heard.say)

    async def query_batch(
        self, binding: Binding, upstream_ids: Sequence[str]
    ) -> Mapping[str, Heard[Status]]:
        """Look at many tasks of one key at once; those the answer lacks are absent."""
        operation = binding.operation
        call = operation.build_batch_query(upstream_ids)
        assert call is not None, f"{operation.dialect} has no batch query"
        reply = await self._with_fresh_token(binding, lambda: self._hear(binding, call))
        answers = self._read(binding, operation.parse_batch_query, reply).answer
        secrets = secrets_of(binding)
        return {
            name: Heard(
                located(status, binding.station.url), partial(words_of, reply, secrets, name)
            )
            for name, status in answers.items()
        }

    async def send_input(
        self, binding: Binding, task: Task, answer: Mapping[str, Any]
    ) -> Heard[SubmitAnswer]:
        """Send what a task waits for. Raises a `Fault`, nothing else."""
        operation = binding.operation
        call = build_input(binding, task, answer)
        heard = await self._with_fresh_token(
            binding, lambda: self._submit_once(binding, call, operation.parse_input)
        )
        return Heard(located(heard.answer, binding.station.url), heard.say)

    async def find(self, binding: Binding, order: Order) -> str | Unlisted | None:
        """
        The upstream id of a submit whose answer was lost; None where surely none was created,
        `Unlisted` where that depends on how far a list reaches back. Only for an order that the
        operation can build a search for.
        """
        operation = binding.operation
        call = operation.build_find(order)
        assert call is not None, f"{operation.dialect} cannot find a task by our id"
        heard = await self._look(binding, call, lambda reply: operation.parse_find(reply, order))
        return heard.answer

    async def cancel(self, binding: Binding, task: Task) -> bool | None:
        """Whether the upstream agreed to stop the task; None where it has no such call."""
        call = binding.operation.build_cancel(task)
        if call is None:
            return None
        return (await self._look(binding, call, binding.operation.parse_cancel)).answer

    async def balance(self, binding: Binding, query: BalanceQuery) -> Balance:
        """What is left in the account of this key. Raises a `Fault`, nothing else."""
        calls = query.build(datetime.now(UTC))
        replies = [await self._hear(binding, call) for call in calls]
        return read(lambda _: query.parse(replies), replies[-1])

    async def _ask(self, binding: Binding, first: Ask) -> Heard[Any]:
        heard: Heard[Status] = Heard(first, silence)
        for _ in range(MOST_ASKS):
            if not isinstance(heard.answer, Ask):
                return heard
            heard = await self._look(binding, heard.answer.call, binding.operation.parse_query)
        raise UnrecognizedReply("the upstream keeps asking for another exchange")

    async def _look(
        self, binding: Binding, call: Call, parse: Callable[[Reply], Answer]
    ) -> Heard[Answer]:
        async def once() -> Heard[Answer]:
            return self._read(binding, parse, await self._hear(binding, call))

        return await self._with_fresh_token(binding, once)

    async def _hear(self, binding: Binding, call: Call) -> Reply:
        request = self._request(binding, call, submit=False)
        return await self._looking.send(request, self._settings.look_timeout)

    async def _submit_once(
        self, binding: Binding, call: Call, parse: Callable[[Reply], Answer]
    ) -> Heard[Answer]:
        timeout = binding.operation.submit_timeout or self._settings.submit_timeout
        request = self._request(binding, call, submit=True)
        return self._read(binding, parse, await self._submitting.send(request, timeout))

    def _read(
        self, binding: Binding, parse: Callable[[Reply], Answer], reply: Reply
    ) -> Heard[Answer]:
        """What an adapter makes of a reply; a fault keeps the words it was read from."""
        say = partial(words_of, reply, secrets_of(binding))
        try:
            return Heard(read(parse, reply), say)
        except Fault as fault:
            fault.words = say()
            raise

    async def _with_fresh_token(
        self, binding: Binding, exchange: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Once more with a newly signed token where the station calls ours out of date."""
        try:
            return await exchange()
        except AccountBlocked as fault:
            stale = fault.upstream_code in TOKEN_CODES
            if not stale or not self._credentials.renew(binding.station, binding.key):
                raise
        return await exchange()

    def _request(self, binding: Binding, call: Call, *, submit: bool) -> Outgoing:
        headers = {
            "accept": "application/json",
            **call.headers,
            **self._credentials.headers(binding.station, binding.key, datetime.now(UTC)),
        }
        content = b""
        if call.json is not None:
            headers["content-type"] = "application/json"
            body = {**call.json, **binding.dialect.extra_body} if submit else call.json
            content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        url = quoted(whole_url(binding, call, submit=submit), call.params)
        return Outgoing(call.method, url, headers, content)


def build_input(binding: Binding, task: Task, answer: Mapping[str, Any]) -> Call:
    """The call that carries the caller's input. `Rejected` where it cannot be built."""
    operation = binding.operation
    if operation.input_request is None:
        raise Rejected(f"{operation.dialect} {operation.name} awaits no input")
    try:
        return operation.build_input(operation.input_request.model_validate(answer), task)
    except Fault:
        raise
    except Exception as error:
        raise Rejected(f"the input cannot be sent: {error}") from error


def build_submit(
    binding: Binding, job: Job, callback_url: str | None, parent: Parent | None
) -> Call:
    """The submit of a stored request. `Rejected` where this version cannot read or build it."""
    operation = binding.operation
    try:
        request = operation.request.model_validate(job.input)
        return operation.build_submit(request, Order(job.id, callback_url, parent=parent))
    except Fault:
        raise
    except Exception as error:
        log.exception("submit_not_built", job_id=job.id, dialect=operation.dialect)
        raise Rejected(
            f"the stored request cannot be sent in {operation.dialect}: {error}",
            code=ErrorCode.INTERNAL,
        ) from error


def secrets_of(binding: Binding) -> tuple[str, ...]:
    """What must never be kept of an upstream's words, should it repeat them."""
    key = binding.key
    values = (key.value, key.secret) if key.secret else (key.value,)
    return tuple(value.get_secret_value() for value in values)


def whole_url(binding: Binding, call: Call, *, submit: bool) -> str:
    """
    Where a call goes. A URL that an upstream gave may lead only to the station's own domain, for
    our key goes with it; raises `UnrecognizedReply` for any other.
    """
    if call.rooted:
        return binding.station.url + call.path
    if call.path.startswith("/"):
        return binding.station.url + binding.dialect.path(call.path, submit=submit)
    given, own = httpx.URL(call.path), httpx.URL(binding.station.url)
    if given.scheme != own.scheme or domain(given.host) != domain(own.host):
        raise UnrecognizedReply(f"the upstream names a foreign host to ask: {given.host}")
    return call.path


def domain(host: str) -> str:
    """The last two labels of a name; the whole of an address."""
    numeric = host.replace(".", "").isdigit() or ":" in host
    return host if numeric else ".".join(host.rsplit(".", 2)[-2:])


def read(parse: Callable[[Reply], Answer], reply: Reply) -> Answer:
    """
    Parse, and turn a defect of a parser into the fault it amounts to: an answer nobody could read.
    A paid task must not hang on it.
    """
    try:
        return parse(reply)
    except Fault:
        raise
    except Exception as error:
        log.exception("parser_failed", status=reply.status)
        raise UnrecognizedReply(
            f"the answer could not be read ({type(error).__name__}): {reply.excerpt()}",
            upstream_status=reply.status,
        ) from error
