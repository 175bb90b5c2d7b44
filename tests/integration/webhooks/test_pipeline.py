"""Deliveries of a worker, with real receivers and a real store."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from generation.queue import celery_app
from generation.settings import Settings
from generation.stations.station import Stations
from generation.store import Store
from generation.store.webhooks.delivery_log import LogFilters
from generation.store.webhooks.outbox import to_endpoint, write
from generation.webhooks.delivery import Delivery, DeliveryState
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.notices import endpoint_test_event
from tests.integration.webhooks.receiver import (
    Behaviour,
    Receiver,
    answering,
    hang,
    receiver,
)
from tests.services.waiting import wait_for_async
from tests.unit.webhooks.endpoints import an_endpoint
from worker.context import WorkerContext
from worker.webhooks.delivery import DeliveryPipeline

S = DeliveryState
#: How long one that hangs is waited for: longer than a busy machine takes for everybody else.
HANGS_FOR = timedelta(seconds=60)
SOON = timedelta(seconds=60)


class Bench:
    """A worker's room whose pipeline runs, on a store of its own."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context
        self.store: Store = context.store

    async def endpoint(self, url: str, **changes: Any) -> RegisteredEndpoint:
        endpoint = an_endpoint(url=url, **changes)
        await self.store.endpoints.add(endpoint)
        return endpoint

    async def owe(self, endpoint: RegisteredEndpoint, count: int = 1) -> list[Delivery]:
        """So many events that are due for this endpoint."""
        now = datetime.now(UTC)
        owed = [
            to_endpoint(endpoint, event, event.body or b"", now)
            for event in (endpoint_test_event(endpoint, now) for _ in range(count))
        ]
        async with self.store.database.writing() as connection:
            await write(connection, owed)
        return owed

    async def states(self, endpoint: RegisteredEndpoint) -> dict[DeliveryState, int]:
        return await self.store.delivery_log.counts(endpoint.id, datetime(2020, 1, 1, tzinfo=UTC))

    async def until(self, endpoint: RegisteredEndpoint, state: DeliveryState, count: int) -> None:
        async def there() -> bool:
            return (await self.states(endpoint))[state] == count

        await wait_for_async(there, SOON, f"{count} deliveries to be {state}")

    async def errors(self, endpoint: RegisteredEndpoint) -> set[str]:
        filters = LogFilters(endpoint_id=endpoint.id)
        page = await self.store.delivery_log.page("acme", filters, limit=50)
        return {each.last_error.partition(":")[0] for each in page}


@asynccontextmanager
async def working(folder: Path, store_url: str, **changes: Any) -> AsyncGenerator[Bench]:
    known: dict[str, Any] = {
        "_env_file": None,
        "data_dir": folder,
        "database_url": store_url,
        "redis_url": "redis://127.0.0.1:9/0",
        "tick": timedelta(seconds=0.05),
        "webhook_allow_http": True,
        "webhook_allowed_networks": "127.0.0.0/8",
        "webhook_allowed_ports": "any",
        "webhook_schedule": "0,0.1s,0.1s",
        "webhook_timeout": timedelta(seconds=5),
    }
    settings = Settings(**(known | changes))
    context = WorkerContext(settings, Stations(()), celery_app(settings), "test")
    deliveries = DeliveryPipeline(context)
    running = asyncio.create_task(deliveries.run())
    try:
        yield Bench(context)
    finally:
        context.is_stopping = True
        await asyncio.wait_for(deliveries.drain(), 60)
        await running
        await context.sender.aclose()
        await context.store.close()


@pytest.fixture
async def bench(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bench]:
    async with working(tmp_path, sqlite_url) as bench:
        yield bench


async def test_a_hanging_receiver_does_not_delay_fifty_others(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(
            working(tmp_path, sqlite_url, webhook_timeout=HANGS_FOR)
        )
        well = [await stack.enter_async_context(receiver(answering())) for _ in range(49)]
        stuck = await stack.enter_async_context(receiver(hang))
        hung = await bench.endpoint(stuck.url)
        endpoints = [await bench.endpoint(each.url) for each in well[:40]]
        await bench.owe(hung, 100)
        await wait_for_async(lambda: len(stuck.requests), SOON, "the hung one to hold something")
        began = monotonic()
        for endpoint in endpoints:
            await bench.owe(endpoint, 10)
        for each in well[:40]:
            await wait_for_async(lambda each=each: len(each.requests) == 10, SOON, "ten each")
        assert monotonic() - began < HANGS_FOR.total_seconds(), (
            "sooner than the hung one gives anything back"
        )
        assert len(stuck.requests) <= 10
        assert (await bench.states(hung))[S.QUEUED] == 100


async def test_ten_thousand_deliveries_to_a_dead_host_do_not_block_others(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with (
        working(tmp_path, sqlite_url, webhook_timeout=HANGS_FOR) as bench,
        receiver(answering()) as well,
        receiver(hang) as silent,
    ):
        dead = await bench.endpoint(silent.url)
        await bench.owe(dead, 10_000)
        alive = await bench.endpoint(well.url)
        await bench.owe(alive, 50)
        await bench.until(alive, S.DELIVERED, 50)
        waiting = await bench.states(dead)
        assert waiting[S.QUEUED] == 10_000
        assert len(silent.requests) <= 10


async def test_deferred_deliveries_are_sent_once_the_receiver_is_back(bench: Bench) -> None:
    answers: list[Behaviour] = [hang]
    async with receiver(changing(answers)) as there:
        endpoint = await bench.endpoint(there.url)
        await bench.owe(endpoint, 400)
        await wait_for_async(lambda: len(there.requests) >= 10, SOON, "its lane to be full")
        answers[0] = answering()
        await bench.until(endpoint, S.DELIVERED, 400)


async def test_concurrency_limits_and_order_are_kept(bench: Bench) -> None:
    busy = most = 0

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.01)
        busy -= 1
        await answering()(reader, writer)

    async with receiver(work) as narrow, receiver(answering()) as slow, receiver(flaky()) as strict:
        capped = await bench.endpoint(narrow.url, concurrency=3)
        rated = await bench.endpoint(slow.url, rate=20)
        ordered = await bench.endpoint(strict.url, ordered=True)
        began = monotonic()
        owed = await bench.owe(ordered, 20)
        await bench.owe(capped, 60)
        await bench.owe(rated, 21)
        await bench.until(rated, S.DELIVERED, 21)
        assert monotonic() - began >= 1.0, "twenty a second"
        await bench.until(capped, S.DELIVERED, 60)
        assert most == 3
        await bench.until(ordered, S.DELIVERED, 20)
        assert delivered_ids(strict) == [each.event_id for each in owed]


async def test_deliveries_that_cannot_be_signed_use_no_capacity(
    tmp_path: Path, sqlite_url: str
) -> None:
    """A secret that was damaged on disk; a process that holds ten at once meets it twenty times."""
    async with (
        working(tmp_path, sqlite_url, webhooks_in_flight=10) as bench,
        receiver(answering()) as there,
    ):
        with capture_logs() as logs:
            damaged = await bench.endpoint(there.url, secret="whsec_-")
            await bench.owe(damaged, 20)
            await wait_for_async(
                lambda: [each["event"] for each in logs].count("delivery_crashed") >= 20,
                SOON,
                "all of them to be met",
            )
        well = await bench.endpoint(there.url)
        await bench.owe(well, 20)
        await bench.until(well, S.DELIVERED, 20)


def changing(answers: list[Behaviour]) -> Behaviour:
    """Behaves as the first of `answers` says at the time."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answers[0](reader, writer)

    return behave


def flaky() -> Behaviour:
    """Fails every third request."""
    count = 0

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await answering("500 No" if count % 3 == 0 else "200 OK")(reader, writer)

    return behave


def delivered_ids(there: Receiver) -> Sequence[str]:
    """The ids in the order of the requests, every repeated one once."""
    return list(dict.fromkeys(each.headers["webhook-id"] for each in there.requests))


async def test_deliveries_that_cannot_be_sent_any_more_end(bench: Bench) -> None:
    async with receiver(answering("410 Gone")) as gone, receiver(answering()) as well:
        deleted = await bench.endpoint(well.url)
        await bench.store.endpoints.delete(deleted.id, "acme")
        disabled = await bench.endpoint(well.url, enabled=False)
        for endpoint in (deleted, disabled):
            await bench.owe(endpoint)
        await bench.until(deleted, S.CANCELED, 1)
        await bench.until(disabled, S.FAILED, 1)
        assert await bench.errors(deleted) == {"canceled"}
        assert await bench.errors(disabled) == {"disabled"}
        assert well.requests == []

        listener = await bench.endpoint(well.url, events=("endpoint.disabled",))
        is_stopping = await bench.endpoint(gone.url)
        await bench.owe(is_stopping)
        await bench.until(listener, S.DELIVERED, 1)
        (told,) = well.requests
        assert b'"type":"endpoint.disabled"' in told.body
        assert is_stopping.id.encode() in told.body
        assert is_stopping.secret.encode() not in told.body
        fresh = await bench.store.endpoints.get(is_stopping.id, "acme")
        assert fresh is not None
        assert (fresh.enabled, fresh.disabled_reason) == (False, "the receiver answered 410")


async def test_failures_count_until_a_success(bench: Bench) -> None:
    answers: list[Behaviour] = [answering("500 No")]
    async with receiver(changing(answers)) as there:
        endpoint = await bench.endpoint(there.url)
        await bench.owe(endpoint)
        await bench.until(endpoint, S.FAILED, 1)
        failing = await bench.store.endpoints.get(endpoint.id, "acme")
        assert failing is not None
        assert failing.health.first_failure_at is not None
        answers[0] = answering()
        await bench.owe(endpoint)
        await bench.until(endpoint, S.DELIVERED, 1)

        async def forgotten() -> bool:
            return await bench.store.endpoints.get(endpoint.id, "acme") == replace(endpoint)

        await wait_for_async(forgotten, SOON, "the failures to be forgotten")
