"""
Rows that cannot be read, because another version wrote them or a disk damaged them: they hold up
none of the others, and are left as they are.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select, text, update

from generation.job import Job, JobState
from generation.store import JobFilters, Store, UnreadableRow
from generation.store.engine.unreadable_rows import AGAIN
from generation.store.schema import api_keys, deliveries, jobs, webhook_endpoints
from generation.store.webhooks.delivery_log import LogFilters
from generation.webhooks.delivery import DeliveryState
from tests.contract.test_deliveries import claim as claim_deliveries
from tests.contract.test_deliveries import registered
from tests.contract.test_idempotency import keyed
from tests.contract.test_key_slots import calling, in_line, limited
from tests.contract.test_keys import a_key
from tests.contract.test_store import HOOK, failed, later
from tests.unit.jobs import NOON, a_job

LANE = ("sandbox", "main")
#: What another version may have written, on either store.
NEWER: Mapping[str, Any] = {"state": "paused"}


async def write(store: Store, table: Table, row_id: str, values: Mapping[str, Any]) -> None:
    async with store.database.writing() as connection:
        await connection.execute(update(table).where(table.c.id == row_id).values(values))


async def inserted(store: Store, count: int, **changes: Any) -> list[Job]:
    return [await store.jobs.insert(a_job(**changes)) for _ in range(count)]


async def errands(store: Store, now: datetime = NOON) -> list[str]:
    return [job.id for job in await store.claims.due_steps(now, 100, later)]


async def noted(store: Store) -> list[tuple[str, str]]:
    return [(each.table, each.row_id) for each in await store.set_aside.all(100)]


async def row_of(store: Store, job_id: str) -> tuple[str, datetime | None]:
    query = select(jobs.c.state, jobs.c.wake_at).where(jobs.c.id == job_id)
    async with store.database.reading() as connection:
        state, wake_at = (await connection.execute(query)).one()
    return state, wake_at


async def test_a_claim_takes_the_others_and_puts_it_off(store: Store) -> None:
    first, poison, last = await inserted(store, 3)
    await write(store, jobs, poison.id, NEWER)
    assert await errands(store) == [first.id, last.id]
    assert await row_of(store, poison.id) == ("paused", NOON + AGAIN), "neither ended nor deleted"
    assert await errands(store) == []
    assert await noted(store) == [("jobs", poison.id)]
    (told,) = await store.set_aside.all(100)
    assert "paused" in told.cause
    assert await store.set_aside.counts() == {"jobs": 1}


async def test_once_it_can_be_read_it_goes_on(store: Store) -> None:
    (poison,) = await inserted(store, 1)
    await write(store, jobs, poison.id, NEWER)
    assert await errands(store) == []
    assert await store.set_aside.read_again(100, NOON) == 0
    await write(store, jobs, poison.id, {"state": "queued"})
    assert await store.set_aside.read_again(100, NOON) == 1
    assert await store.set_aside.counts() == {}
    assert await errands(store, NOON + AGAIN) == [poison.id]


async def test_what_is_gone_is_forgotten(store: Store) -> None:
    (poison,) = await inserted(store, 1)
    await write(store, jobs, poison.id, NEWER)
    await errands(store)
    async with store.database.writing() as connection:
        await connection.execute(jobs.delete())
    assert await store.set_aside.read_again(100, NOON) == 1


@pytest.mark.parametrize(
    ("column", "damaged"),
    [
        ("upstream_details", '{"cut off'),
        ("upstream_id", b"\xff\xfe"),
        ("deadline", "yesterday"),
        ("started_at", 2**62),
    ],
)
async def test_what_a_damaged_disk_leaves_in_sqlite(
    sqlite_url: str, column: str, damaged: object
) -> None:
    store = Store(sqlite_url)
    first, poison, last = await inserted(store, 3, state=JobState.RUNNING)
    async with store.database.writing() as connection:
        value = "CAST(:damaged AS TEXT)" if isinstance(damaged, bytes) else ":damaged"
        change = text(f"UPDATE jobs SET {column} = {value} WHERE id = :id")
        await connection.execute(change, {"damaged": damaged, "id": poison.id})
    found = [job.id for job in await store.claims.looks(NOON, {LANE: 10}, later)]
    assert found == [first.id, last.id]
    assert await noted(store) == [("jobs", poison.id)]
    await store.close()


async def test_looks_of_a_lane_pass_it_by(store: Store) -> None:
    first, poison, last = await inserted(store, 3, state=JobState.RUNNING)
    await write(store, jobs, poison.id, {"upstream_details": ["a list"]})
    found = [job.id for job in await store.claims.looks(NOON, {LANE: 10}, later)]
    assert found == [first.id, last.id]
    assert await row_of(store, poison.id) == ("running", NOON + AGAIN)


async def test_whoever_asks_for_it_is_told_and_nobody_else(store: Store) -> None:
    well, poison = await inserted(store, 2, client_id=None)
    await write(store, jobs, poison.id, {"result": {"assets": [{"type": "hologram"}]}})
    found = await asyncio.gather(
        *(store.jobs.get(each.id) for each in (well, poison)), return_exceptions=True
    )
    assert isinstance(found[0], Job)
    assert isinstance(found[1], UnreadableRow)
    assert found[1].row_id == poison.id
    changed = await asyncio.gather(
        *(store.jobs.change(each.id, failed) for each in (well, poison)), return_exceptions=True
    )
    assert isinstance(changed[1], UnreadableRow)
    assert (await row_of(store, well.id))[0] == "failed"
    assert (await row_of(store, poison.id))[0] == "queued"
    for ask in (
        store.histories.of_job(poison.id, "acme"),
        store.erasure.erase(poison.id, "acme", NOON),
    ):
        with pytest.raises(UnreadableRow):
            await ask
    assert [job.id for job in await store.jobs.ended([well.id, poison.id])] == [well.id]


@pytest.mark.parametrize("filters", [JobFilters(), JobFilters(provider="kling")])
async def test_pages_leave_it_out_and_do_not_end_there(store: Store, filters: JobFilters) -> None:
    born = await inserted(store, 6)
    for poison in (born[1], born[2], born[4]):
        await write(store, jobs, poison.id, {"metadata": 5})
    readable = [born[5].id, born[3].id, born[0].id]
    page = await store.jobs.page("acme", filters, limit=2)
    assert [job.id for job in page] == readable[:2]
    page = await store.jobs.page("acme", filters, limit=2, before=readable[1])
    assert [job.id for job in page] == readable[2:]
    page = await store.jobs.page("acme", filters, limit=2, after=readable[2])
    assert [job.id for job in page] == readable[:2]


async def test_an_order_that_is_repeated_is_told_and_those_beside_it_are_stored(
    store: Store,
) -> None:
    (poison,) = (await store.jobs.place([a_job()], keyed())).jobs
    await write(store, jobs, poison.id, {"input": "text"})
    beside = a_job()
    repeated, placed = await asyncio.gather(
        store.jobs.place([a_job()], keyed()), store.jobs.place([beside]), return_exceptions=True
    )
    assert isinstance(repeated, UnreadableRow), "and no second job is made"
    assert not isinstance(placed, BaseException)
    assert (await store.jobs.counts()) == {"queued": 2}
    with pytest.raises(UnreadableRow):
        await store.jobs.earlier_result(keyed(), NOON)


async def test_a_line_is_called_although_its_first_cannot_be_read(store: Store) -> None:
    poison, second = await in_line(store, 2)
    await write(store, jobs, poison.id, {"metadata": 5})
    call = calling(limited(max_in_flight=1))
    assert await store.submits.call(call) == []
    assert [job.id for job in await store.submits.call(call)] == [second.id]
    assert await row_of(store, poison.id) == ("queued", NOON + AGAIN)


async def test_a_feed_goes_on_behind_a_birth_that_cannot_be_told(store: Store) -> None:
    born = await inserted(store, 5)
    await store.events.place()
    await write(store, jobs, born[1].id, {"metadata": 5})
    told = [each.head for each in await store.events.after("acme", 0, 3)]
    assert [head.job_id for head in told] == [born[0].id, born[2].id, born[3].id]
    rest = await store.events.after("acme", told[-1].position or 0, 3)
    assert [each.head.job_id for each in rest] == [born[4].id]


async def test_an_endpoint_that_cannot_be_read_holds_up_no_job_and_loses_nothing(
    store: Store,
) -> None:
    poison, well = await registered(store), await registered(store)
    job = await store.jobs.insert(a_job())
    await store.jobs.change(job.id, failed)
    await write(store, webhook_endpoints, poison.id, {"events": 5})
    claimed = await claim_deliveries(store)
    assert [each.delivery.endpoint_id for each in claimed] == [well.id]
    kept = await store.delivery_log.page("acme", LogFilters(endpoint_id=poison.id), limit=9)
    assert [each.state for each in kept] == [DeliveryState.QUEUED], "it was not deleted"
    another = await store.jobs.insert(a_job())
    assert await store.jobs.change(another.id, failed)
    assert [each.id for each in await store.endpoints.of_tenant("acme")] == [well.id]
    with pytest.raises(UnreadableRow):
        await store.endpoints.get(poison.id, "acme")
    await write(store, webhook_endpoints, poison.id, {"events": []})
    assert poison.id in {
        e.delivery.endpoint_id for e in await claim_deliveries(store, NOON + AGAIN)
    }


async def test_a_delivery_that_cannot_be_read_or_signed_is_put_off(store: Store) -> None:
    key = await a_key(store)
    for _ in range(3):
        job = await store.jobs.insert(a_job(webhook=HOOK, api_key_id=key.id))
        await store.jobs.change(job.id, failed)
    owed = await store.delivery_log.page("acme", LogFilters(), limit=9)
    await write(store, deliveries, owed[1].id, NEWER)
    claimed = await claim_deliveries(store)
    assert {each.delivery.id for each in claimed} == {owed[0].id, owed[2].id}
    await write(store, api_keys, key.id, {"old_webhook_secrets": [{"a": "b"}]})
    assert await claim_deliveries(store, NOON + AGAIN) == []
    listed = await store.delivery_log.page("acme", LogFilters(), limit=9)
    assert {each.state for each in listed} == {DeliveryState.QUEUED}, "it could not be signed yet"
    assert set(await noted(store)) == {("deliveries", owed[1].id), ("api_keys", key.id)}


async def test_nothing_that_cannot_be_read_is_removed_for_its_age(store: Store) -> None:
    (poison,) = await inserted(store, 1, state=JobState.FAILED, finished_at=NOON, wake_at=None)
    await write(store, jobs, poison.id, {"metadata": 5})
    with pytest.raises(UnreadableRow):
        await store.jobs.get(poison.id)
    long_after = NOON + timedelta(days=900)
    assert await store.retention.prune_jobs(long_after, long_after) == 0
    await write(store, jobs, poison.id, {"metadata": {}})
    await store.set_aside.read_again(100, NOON)
    assert await store.retention.prune_jobs(long_after, long_after) == 1


async def test_orders_go_on_where_an_endpoint_of_theirs_is_damaged_in_sqlite(
    sqlite_url: str,
) -> None:
    store = Store(sqlite_url)
    poison = await registered(store)
    async with store.database.writing() as connection:
        await connection.execute(text("UPDATE webhook_endpoints SET events = '[\"cut off'"))
    (job,) = (await store.jobs.place([a_job(tenant=poison.tenant)])).jobs
    assert await store.jobs.change(job.id, failed)
    await store.close()


async def test_a_key_that_cannot_be_read_lets_nobody_in_and_hides_no_other(store: Store) -> None:
    secrets = ["genq_the-key-of-a-newer-version", "genq_a-key-that-is-well-known"]
    poison, well = [await store.keys.add("acme", each, "whsec_x", NOON) for each in secrets]
    await write(store, api_keys, poison.id, {"scopes": "submit teleport"})
    with pytest.raises(UnreadableRow):
        await store.keys.find(secrets[0])
    assert [key.id for key in await store.keys.all()] == [well.id]


async def test_strict_order_passes_over_what_cannot_be_read(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    endpoint = await registered(store, ordered=True)
    for _ in range(2):
        job = await store.jobs.insert(a_job())
        await store.jobs.change(job.id, failed)
    filters = LogFilters(endpoint_id=endpoint.id)
    second, first = await store.delivery_log.page("acme", filters, limit=9)
    async with store.database.writing() as connection:
        damage = text("UPDATE deliveries SET created_at = 'long ago' WHERE id = :id")
        await connection.execute(damage, {"id": first.id})
    (claimed,) = await claim_deliveries(store)
    assert (claimed.delivery.id, claimed.blocked) == (second.id, True), "it is noted only now"
    (claimed,) = await claim_deliveries(store, NOON + AGAIN / 2)
    assert (claimed.delivery.id, claimed.blocked) == (second.id, False)
    await store.close()
