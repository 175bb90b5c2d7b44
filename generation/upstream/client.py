"""
The only module that talks to an upstream.

It puts an operation's calls on the wire as the job's station and key want them, and reads what
comes back. Submits use connections of their own, each closed after one answer.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import httpx
import structlog

from generation.contract.call import Call
from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    ForeignHost,
    InDoubt,
    Rejected,
    UnrecognizedReply,
)
from generation.contract.given import given_in
from generation.contract.operation import Order, Parent, Task, Unlisted
from generation.contract.reply import Reply
from generation.contract.request import split
from generation.contract.status import Ask, Status, SubmitAnswer, Succeeded
from generation.contract.usable_assets import read_submit, usable, usable_each
from generation.job import Job
from generation.providers.kit.balance import Balance, BalanceQuery
from generation.settings import Settings
from generation.stations.auth_headers import Credentials
from generation.stations.binding import Binding
from generation.stations.station import ExtraFields
from generation.upstream.asset_urls import is_own, located
from generation.upstream.http import BrokenOff, Exchanges, Outgoing, quoted
from generation.upstream.redaction import redacted
from generation.upstream.transcript import Heard, silence, words_of

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
        self._foreign_hosts: set[tuple[str, str]] = set()
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
        given = given_in(job.input, call.json, call.params)
        url = binding.station.url

        def parse(reply: Reply) -> SubmitAnswer:
            return read_submit(operation, replace(reply, given=given), url)

        heard = await self._with_fresh_token(
            binding, lambda: self._submit_once(binding, call, parse)
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
        answers = usable_each(answers, binding.station.url)
        return {
            name: Heard(located(status, binding.station.url), partial(words_of, reply, name))
            for name, status in answers.items()
        }

    async def send_input(
        self, binding: Binding, task: Task, answer: Mapping[str, Any]
    ) -> Heard[SubmitAnswer]:
        """Send what a task waits for. Raises a `Fault`, nothing else."""
        operation = binding.operation
        call = build_input(binding, task, answer)
        parse = with_usable(operation.parse_input, binding.station.url)
        heard = await self._with_fresh_token(
            binding, lambda: self._submit_once(binding, call, parse)
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
        parse = with_usable(binding.operation.parse_query, binding.station.url)
        for _ in range(MOST_ASKS):
            if not isinstance(heard.answer, Ask):
                return heard
            heard = await self._look(binding, heard.answer.call, parse)
        raise UnrecognizedReply("the upstream keeps asking for another exchange")

    async def _look(
        self, binding: Binding, call: Call, parse: Callable[[Reply], Answer]
    ) -> Heard[Answer]:
        foreign = foreign_host(binding, call)
        if foreign:
            self._warn_of(foreign, binding)
        asked = call.otherwise if foreign and call.otherwise else call

        async def once() -> Heard[Answer]:
            return self._read(binding, parse, await self._hear(binding, asked))

        try:
            return await self._with_fresh_token(binding, once)
        except Rejected as fault:
            if not foreign or fault.code is not ErrorCode.NOT_FOUND:
                raise
            raise ForeignHost(
                f"the upstream wants the task to be asked for at {foreign}, where our key is not"
                f" sent, and does not know it at its own address: {fault.message}"
            ) from fault

    def _warn_of(self, foreign: str, binding: Binding) -> None:
        """Logs once that a station's answers lead to a host the key is not sent to."""
        if (binding.station.name, foreign) not in self._foreign_hosts:
            self._foreign_hosts.add((binding.station.name, foreign))
            log.error(
                "foreign_polling_host",
                station=binding.station.name,
                dialect=binding.operation.dialect,
                host=foreign,
                hint="the key stays with the station's own domain, whose own path is asked",
            )

    async def _hear(self, binding: Binding, call: Call) -> Reply:
        timeout = self._settings.look_timeout
        return await self._exchange(self._looking, binding, call, timeout, submit=False)

    async def _submit_once(
        self, binding: Binding, call: Call, parse: Callable[[Reply], Answer]
    ) -> Heard[Answer]:
        timeout = binding.operation.submit_timeout or self._settings.submit_timeout
        try:
            reply = await self._exchange(self._submitting, binding, call, timeout, submit=True)
        except BrokenOff as fault:
            raise with_what_arrived(fault, parse) from fault
        return self._read(binding, parse, reply)

    async def _exchange(
        self,
        exchanges: Exchanges,
        binding: Binding,
        call: Call,
        timeout: timedelta,
        *,
        submit: bool,
    ) -> Reply:
        """The answer to a call, without our secrets: nothing after this sees them."""
        auth = self._credentials.headers(binding.station, binding.key, datetime.now(UTC))
        secrets = (*secrets_of(binding), *(value.rpartition(" ")[2] for value in auth.values()))
        request = outgoing(binding, call, auth, submit=submit)
        try:
            return redacted(await exchanges.send(request, timeout), secrets)
        except BrokenOff as fault:
            raise BrokenOff(fault.message, redacted(fault.reply, secrets)) from fault

    def _read(
        self, binding: Binding, parse: Callable[[Reply], Answer], reply: Reply
    ) -> Heard[Answer]:
        """What an adapter makes of a reply; a fault keeps the words it was read from."""
        say = partial(words_of, reply)
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


def outgoing(binding: Binding, call: Call, auth: Mapping[str, str], *, submit: bool) -> Outgoing:
    """The request that puts a call on the wire as its station wants it."""
    headers = {"accept": "application/json", **call.headers, **auth}
    content = b""
    if call.json is not None:
        headers["content-type"] = "application/json"
        body = {**call.json, **binding.dialect.extra_body} if submit else call.json
        content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    url = quoted(whole_url(binding, call, submit=submit), call.params)
    return Outgoing(call.method, url, headers, content)


def with_what_arrived(fault: BrokenOff, parse: Callable[[Reply], Any]) -> InDoubt:
    """
    The doubt that a broken answer to a submit leaves, with its words, and with the addresses of the
    assets that it had named already: whoever settles the doubt can see them.
    """
    urls: Sequence[str] = ()
    try:
        answer = read(parse, fault.reply)
    except Fault:
        pass
    else:
        urls = [asset.url for asset in answer.assets] if isinstance(answer, Succeeded) else ()
    named = f"; it had named {' '.join(urls)}" if urls else ""
    doubt = InDoubt(f"{fault.message}{named}", upstream_status=fault.upstream_status)
    doubt.words = words_of(fault.reply)
    return doubt


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
        known, extra = split(operation.request, job.input)
        request = operation.request.model_validate(known)
        call = operation.build_submit(request, Order(job.id, callback_url, parent=parent))
        return _with_extra(call, extra, binding) if extra else call
    except Fault:
        raise
    except Exception as error:
        log.exception("submit_not_built", job_id=job.id, dialect=operation.dialect)
        raise Rejected(
            f"the stored request cannot be sent in {operation.dialect}: {error}",
            code=ErrorCode.INTERNAL,
        ) from error


def _with_extra(call: Call, extra: Mapping[str, Any], binding: Binding) -> Call:
    """The submit with fields that genq does not know; they replace none that it does."""
    if binding.dialect.extra_fields is not ExtraFields.PASS or call.json is None:
        raise Rejected(
            f"station {binding.station.name} is not told to pass on {', '.join(sorted(extra))}:"
            " leave it out",
            code=ErrorCode.UNSUPPORTED,
        )
    return replace(call, json={**extra, **call.json})


def secrets_of(binding: Binding) -> tuple[str, ...]:
    """What must never be kept of an upstream's words, should it repeat them."""
    key = binding.key
    values = (key.value, key.secret) if key.secret else (key.value,)
    return tuple(value.get_secret_value() for value in values)


def whole_url(binding: Binding, call: Call, *, submit: bool) -> str:
    """
    Where a call goes. Raises `ForeignHost` for a URL that leads to another domain than the
    station's, for our key goes with the request.
    """
    if call.rooted:
        return binding.station.url + call.path
    if call.path.startswith("/"):
        return binding.station.url + binding.dialect.path(call.path, submit=submit)
    if foreign := foreign_host(binding, call):
        raise ForeignHost(f"the upstream names a host to ask that is not its own: {foreign}")
    return call.path


def foreign_host(binding: Binding, call: Call) -> str:
    """The host of a URL that an upstream gave, where it is not the station's own; else ""."""
    if call.path.startswith("/") or is_own(call.path, binding.station.url):
        return ""
    return httpx.URL(call.path).host


def with_usable(parse: Callable[[Reply], Answer], station_url: str) -> Callable[[Reply], Answer]:
    """The parser, whose answers have no asset that cannot be told."""
    return lambda reply: usable(parse(reply), station_url=station_url)


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
