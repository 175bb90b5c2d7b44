"""
Claims within the limits of keys, and calls from the lines before them, on each store.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from generation.contract.errors import AccountBlocked, ErrorCode, Scope, Throttled
from generation.counters import SUBMITS, SUBMITTED
from generation.job import Billed, Job, JobState
from generation.lifecycle import begin_submit, call, canceled, enter_wait_queue, expired
from generation.stations.key_health import KeyHealth, KeyName, RetryWaits
from generation.stations.key_updates import after_answer
from generation.stations.station import Key
from generation.store import Capacities, Store, WakeUp, totals
from tests.unit.jobs import NOON, a_job, a_submit, at

RELAY = ("relay", "main")
DIRECT = ("direct", "main")
LINE = "relay/main"
PATIENCE = RetryWaits(timedelta(seconds=5), timedelta(seconds=300))
NO_MONEY = AccountBlocked("balance is 0", code=ErrorCode.OUT_OF_CREDITS)

NO_MODEL = AccountBlocked("it is not enabled", scope=Scope.MODEL)


@pytest.fixture
async def stores(store_url: str) -> AsyncIterator[list[Store]]:
    """One database, as two processes see it."""
    stores = [Store(store_url), Store(store_url)]
    yield stores
    for store in stores:
        await store.close()


class Claim:
    """A claim at keys of these limits, the first that has room."""

    def __init__(
        self, *keys: tuple[KeyName, Key], seconds: float = 0, line: str | None = None
    ) -> None:
        self._keys = keys
        self._line = line or " ".join(sorted("/".join(name) for name, _ in keys))
        self.at = at(seconds)

    @property
    def now(self) -> datetime:
        return self.at.now

    def wanted(self, job: Job) -> dict[KeyName, Key]:
        del job
        return dict(self._keys)

    def decide(self, job: Job, capacities: Capacities) -> Job:
        if job.state is not JobState.QUEUED:
            return job
        reasons: list[str] = []
        for (station, key), _ in self._keys:
            reason = capacities[station, key].obstacle(job, self.now)
            if reason is None:
                capacities[station, key].take(job, self.now, PATIENCE)
                return begin_submit(job, self.at, station=station, key=key, dialect="kling.relay")
            reasons.append(reason)
        return enter_wait_queue(job, self._line, "; ".join(reasons), self.at)


def limited(**limits: int) -> Key:
    return Key.model_validate({"name": "main", "value": SecretStr("sk"), **limits})


def calling(
    key: Key,
    *,
    seconds: float = 0,
    name: KeyName = RELAY,
    lines: Sequence[str] = (LINE,),
    subject: str | None = None,
) -> WakeUp:
    moment = at(seconds)

    def called(job: Job) -> Job:
        return call(job, moment, station=name[0], key=name[1], again=timedelta(seconds=10))

    return WakeUp(
        name=name,
        key=key,
        lines=lines,
        called=called,
        now=moment.now,
        retry_waits=PATIENCE,
        subject=subject,
    )


async def ordered(store: Store, *jobs: Job) -> list[Job]:
    return list(await asyncio.gather(*(store.jobs.insert(job) for job in jobs)))


async def states(store: Store, jobs: Sequence[Job]) -> Counter[str]:
    found = [await store.jobs.get(job.id) for job in jobs]
    return Counter(job.state.value for job in found if job)


async def in_line(store: Store, count: int, **fields: Any) -> list[Job]:
    """Jobs that wait at a full key."""
    jobs = await ordered(store, *(a_job(**fields) for _ in range(count)))
    for job in jobs:
        await store.jobs.change(job.id, lambda fresh: enter_wait_queue(fresh, LINE, "full", at()))
    return jobs


async def test_a_key_is_never_given_more_than_it_takes(stores: list[Store]) -> None:
    jobs = await ordered(stores[0], *(a_job() for _ in range(40)))
    key = limited(max_in_flight=3)
    await asyncio.gather(
        *(stores[i % 2].submits.claim(job.id, Claim((RELAY, key))) for i, job in enumerate(jobs))
    )
    assert await states(stores[0], jobs) == {"submitting": 3, "queued": 37}
    waiting = [job for job in await all_of(stores[0], jobs) if job.line]
    assert len(waiting) == 37
    full = "waiting for a free slot of key main at station relay: 3 of 3 in use"
    assert {job.reason for job in waiting} <= {
        full,
        "waiting in line for key main at station relay",
    }
    assert {job.wake_at for job in waiting} == {NOON + timedelta(hours=1)}, "they cost no tick"


async def all_of(store: Store, jobs: Sequence[Job]) -> list[Job]:
    found = [await store.jobs.get(job.id) for job in jobs]
    return [job for job in found if job is not None]


async def test_one_message_too_many_takes_no_second_place(stores: list[Store]) -> None:
    (job,) = await ordered(stores[0], a_job())
    key = limited(max_in_flight=3)
    changes = await asyncio.gather(
        *(stores[i % 2].submits.claim(job.id, Claim((RELAY, key))) for i in range(20))
    )
    assert sum(1 for change in changes if change and change.moved) == 1
    others = await ordered(stores[0], a_job(), a_job(), a_job())
    for other in others:
        await stores[0].submits.claim(other.id, Claim((RELAY, key)))
    assert (await states(stores[0], others))["submitting"] == 2


@pytest.mark.parametrize("state", ["submitting", "running", "awaiting_input", "in_doubt"])
async def test_whatever_may_be_upstream_takes_a_place(stores: list[Store], state: str) -> None:
    held = {"station": "relay", "key": "main"}
    await ordered(stores[0], a_job(JobState(state), **held), a_job(JobState.SUCCEEDED, **held))
    (job,) = await ordered(stores[0], a_job())
    await stores[0].submits.claim(job.id, Claim((RELAY, limited(max_in_flight=1))))
    assert (await states(stores[0], [job]))["queued"] == 1


async def test_an_expired_job_gives_its_place_back_after_a_time(stores: list[Store]) -> None:
    store = stores[0]
    (old,) = await ordered(store, a_job(JobState.RUNNING, station="relay", key="main"))
    await store.jobs.change(old.id, lambda fresh: expired(fresh, at(1)))
    key = limited(max_in_flight=1)
    (first,) = await ordered(store, a_job())
    await store.submits.claim(first.id, Claim((RELAY, key), seconds=2))
    assert (await states(store, [first]))["queued"] == 1
    (called,) = await store.submits.call(calling(key, seconds=121))
    assert called.id == first.id


async def test_no_more_submits_leave_than_the_minute_has(stores: list[Store]) -> None:
    key = limited(submits_per_minute=6)
    sent = 0
    for second in range(0, 60, 2):
        jobs = await ordered(stores[0], a_job(), a_job())
        claims = [Claim((RELAY, key), seconds=second) for _ in jobs]
        changes = await asyncio.gather(
            *(stores[i].submits.claim(job.id, claims[i]) for i, job in enumerate(jobs))
        )
        sent += sum(1 for change in changes if change and change.moved)
        for job in jobs:  # nobody is left to wait, so that the limit alone is seen
            await stores[0].jobs.change(job.id, gone)
    assert sent == 6


def gone(job: Job) -> Job:
    if job.state is not JobState.QUEUED:
        return job
    return canceled(job, NOON, Billed.NO, "never mind")


async def test_a_full_key_leads_to_the_next_one(stores: list[Store]) -> None:
    jobs = await ordered(stores[0], *(a_job() for _ in range(5)))
    one = limited(max_in_flight=1)
    for job in jobs:
        claim = Claim((RELAY, one), (DIRECT, limited(max_in_flight=2)))
        await stores[0].submits.claim(job.id, claim)
    where = Counter((job.station, job.line) for job in await all_of(stores[0], jobs))
    assert where == {("relay", None): 1, ("direct", None): 2, (None, "direct/main relay/main"): 2}
    assert await stores[1].queues.lines() == ["direct/main relay/main"]


async def test_tenants_take_turns_and_each_sends_its_own_by_priority(stores: list[Store]) -> None:
    store, key = stores[0], limited(max_in_flight=1)
    flood = await in_line(store, 5, tenant="flood")
    urgent = (await in_line(store, 1, tenant="flood", priority=5))[0]
    small = await in_line(store, 2, tenant="small")
    order: list[str] = []
    for second in range(8):
        called = await stores[second % 2].submits.call(calling(key, seconds=second))
        for job in called:
            order.append(job.id)
            await store.jobs.change(job.id, gone)
    expected = [urgent, small[0], flood[0], small[1], *flood[1:]]
    assert order == [job.id for job in expected]


async def test_two_processes_call_nobody_twice_and_no_more_than_fit(stores: list[Store]) -> None:
    await in_line(stores[0], 20)
    key = limited(max_in_flight=7)
    calls = await asyncio.gather(*(stores[i % 2].submits.call(calling(key)) for i in range(10)))
    called = [job.id for call in calls for job in call]
    assert len(called) == len(set(called)) == 7
    assert await stores[0].submits.call(calling(key)) == []


async def test_who_is_called_comes_and_nobody_pushes_in(stores: list[Store]) -> None:
    store, key = stores[0], limited(max_in_flight=1)
    (waiting,) = await in_line(store, 1)
    (called,) = await store.submits.call(calling(key))
    (newcomer,) = await ordered(store, a_job())
    await store.submits.claim(newcomer.id, Claim((RELAY, key), seconds=1))
    assert (await states(store, [newcomer]))["queued"] == 1
    await store.submits.claim(called.id, Claim((RELAY, key), seconds=2))
    (sent,) = await all_of(store, [waiting])
    assert (sent.state, sent.slot_until) == (JobState.SUBMITTING, None)


async def test_a_call_that_nobody_follows_lapses(stores: list[Store]) -> None:
    store, key = stores[0], limited(max_in_flight=1)
    first, second = await in_line(store, 2)
    assert [job.id for job in await store.submits.call(calling(key))] == [first.id]
    assert await store.submits.call(calling(key, seconds=59)) == []
    assert [job.id for job in await store.submits.call(calling(key, seconds=61))] == [second.id]
    due = await store.claims.due_steps(at(15).now, 10, lambda _: at(999).now)
    assert [job.id for job in due] == [first.id], "a lost message is made up for long before"


async def test_a_canceled_job_is_not_called(stores: list[Store]) -> None:
    store = stores[0]
    first, second = await in_line(store, 2)
    await store.jobs.change(first.id, gone)
    (called,) = await store.submits.call(calling(limited(max_in_flight=1)))
    assert called.id == second.id


async def test_a_place_in_line(stores: list[Store]) -> None:
    store = stores[0]
    flood = await in_line(store, 3, tenant="flood")
    small = await in_line(store, 1, tenant="small")
    positions = [await store.queues.position(job) for job in await all_of(store, [*flood, *small])]
    assert positions == [1, 3, 4, 2]
    (free,) = await ordered(store, a_job())
    assert await store.queues.position(free) is None


async def test_a_line_nobody_serves_any_more_is_dissolved(stores: list[Store]) -> None:
    store = stores[0]
    jobs = await in_line(store, 3)
    await store.queues.send_back(LINE, NOON)
    assert await store.queues.lines() == []
    due = await store.claims.due_steps(NOON, 10, lambda _: at(999).now)
    assert {job.id for job in due} == {job.id for job in jobs}


async def test_what_is_known_of_a_key_is_known_to_all(stores: list[Store]) -> None:
    def blocked(account: KeyHealth) -> KeyHealth:
        return after_answer(account, NO_MONEY, a_submit(), NOON, PATIENCE)

    await asyncio.gather(*(stores[i % 2].accounts.change(RELAY, blocked) for i in range(10)))
    for store in stores:
        (account,) = (await store.accounts.all()).values()
        assert (account.name, account.blocked_code) == (RELAY, "out_of_credits")
        assert (account.probes, account.probe_at) == (0, at(30).now)


async def test_a_blocked_key_is_tried_by_one_job_of_all_processes(stores: list[Store]) -> None:
    key = limited()
    await stores[0].accounts.change(
        RELAY, lambda account: after_answer(account, NO_MONEY, a_submit(), NOON, PATIENCE)
    )
    jobs = await ordered(stores[0], *(a_job() for _ in range(6)))
    for seconds, sent in ((29, 0), (30, 1)):
        claims = [Claim((RELAY, key), seconds=seconds) for _ in jobs]
        await asyncio.gather(
            *(stores[i % 2].submits.claim(job.id, claims[i]) for i, job in enumerate(jobs))
        )
        assert (await states(stores[0], jobs))["submitting"] == sent
        await stores[0].queues.send_back(LINE, NOON)
    await stores[0].accounts.change(
        RELAY,
        lambda account: after_answer(account, Throttled("slow"), a_submit(), at(31).now, PATIENCE),
    )
    rest = [job for job in await all_of(stores[0], jobs) if job.state is JobState.QUEUED]
    await stores[0].submits.claim(rest[0].id, Claim((RELAY, key), seconds=32))
    (waiting,) = await all_of(stores[0], rest[:1])
    assert "blocked since 12:00 UTC (out_of_credits)" in waiting.reason


async def test_counts_move_with_what_they_count(stores: list[Store]) -> None:
    jobs = await ordered(stores[0], *(a_job() for _ in range(30)))
    key = limited(max_in_flight=20)
    await asyncio.gather(
        *(stores[i % 2].submits.claim(job.id, Claim((RELAY, key))) for i, job in enumerate(jobs))
    )
    for job in jobs[:4]:
        await stores[1].jobs.change(job.id, bought_or_gone)
    counts = await totals(stores[0].database)
    actual = Counter(job.state for job in await all_of(stores[0], jobs))
    assert {state: counts.get(f"state.{state}", 0) for state in JobState} == {
        state: actual[state] for state in JobState
    }
    assert counts[SUBMITS] == counts[SUBMITTED] == actual[JobState.RUNNING]


def bought_or_gone(job: Job) -> Job:
    if job.state is JobState.QUEUED:
        return gone(job)
    return job.move(JobState.RUNNING, NOON, upstream_id="up_1", billed=Billed.YES)


async def test_a_held_model_is_known_to_all_and_tried_by_another_job(stores: list[Store]) -> None:
    """A probe is not for the job that failed last; jobs of other models do not wait for it."""
    first, last, third = await ordered(stores[0], *(a_job(model="v1") for _ in range(3)))
    for job in (first, last):
        sent = a_submit(job.id, "v1")
        await stores[0].accounts.change(
            RELAY,
            lambda account, sent=sent: after_answer(account, NO_MODEL, sent, NOON, PATIENCE),
        )
    known = (await stores[1].accounts.all())[RELAY]
    assert [block.subject for block in known.blocks.held(NOON)] == ["kling/v1"]
    assert known.blocks.get("kling/v1") == known.blocks.by_subject["kling/v1"]
    held = f"{LINE} for kling/v1"
    for job in (last, third):
        await stores[0].jobs.change(job.id, lambda fresh: enter_wait_queue(fresh, held, "no", at()))
    key = limited()
    early = calling(key, seconds=29, lines=(held,), subject="kling/v1")
    assert await stores[0].submits.call(early) == []
    due = calling(key, seconds=30, lines=(held,), subject="kling/v1")
    called = await asyncio.gather(stores[0].submits.call(due), stores[1].submits.call(due))
    (tried,) = [job for each in called for job in each]
    assert tried.id == third.id, "and by one at a time"
    (other,) = await ordered(stores[0], a_job(model="v2"))
    claims = {other.id: "submitting", first.id: "queued", third.id: "submitting"}
    for job_id, state in claims.items():
        change = await stores[1].submits.claim(job_id, Claim((RELAY, key), seconds=31))
        assert change is not None
        assert change.after.state == state
    reason = (await all_of(stores[0], [first]))[0].reason
    assert "key main at station relay is refused for kling/v1 since 12:00 UTC" in reason
