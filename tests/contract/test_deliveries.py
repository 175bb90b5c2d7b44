"""
What every store must do with deliveries: owe, claim, put aside, log, send again.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from generation.contract.errors import ErrorCode
from generation.job import Job, JobError, JobState, Webhook
from generation.store import ClaimedDelivery, Store, new_key
from generation.store.webhooks.delivery_log import LogFilters
from generation.webhooks.delivery import (
    Delivery,
    DeliveryState,
    after_attempt,
    attempt_record,
)
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.outcome import DeliveryOutcome
from generation.webhooks.secrets import OldSecret
from tests.unit.jobs import NOON, a_job
from tests.unit.webhooks.endpoints import an_endpoint

HOOK = Webhook(url="https://example.test:8443/hook")
LATER = NOON + timedelta(minutes=1)
S = DeliveryState


def failed(job: Job) -> Job:
    error = JobError(code=ErrorCode.INTERNAL, message="no")
    return job.move(JobState.FAILED, job.created_at, error=error, finished_at=NOON, wake_at=None)


async def ended(store: Store, **changes: Any) -> Job:
    """A job that was ordered and has failed."""
    born = changes.pop("created_at", NOON)
    job = await store.jobs.insert(a_job(created_at=born, updated_at=born, **changes))
    change = await store.jobs.change(job.id, failed)
    assert change is not None
    return change.after


async def registered(store: Store, **changes: Any) -> RegisteredEndpoint:
    endpoint = an_endpoint(**changes)
    await store.endpoints.add(endpoint)
    return endpoint


async def claim(store: Store, at: datetime = NOON, limit: int = 100) -> list[ClaimedDelivery]:
    return await store.deliveries.claim(at, limit, at + timedelta(seconds=30))


def in_order(claimed: list[ClaimedDelivery]) -> list[ClaimedDelivery]:
    return sorted(claimed, key=lambda each: each.delivery.id)


async def tried(
    store: Store, claimed: ClaimedDelivery, outcome: DeliveryOutcome, at: datetime = NOON
) -> Delivery:
    """The delivery once an attempt has come to this."""
    after = after_attempt(claimed.delivery, outcome, at, 0.5)
    await store.deliveries.save(after, attempt_record(claimed.delivery, after, outcome, at))
    return after


async def test_the_webhook_of_a_job_and_every_endpoint_that_asked_are_owed(store: Store) -> None:
    usual = await registered(store)
    submissions = await registered(store, events=("job.queued",))
    choosy = await registered(store, metadata={"customer": "42"})
    await registered(store, events=("job.succeeded",))
    await registered(store, enabled=False)
    await registered(store, tenant="somebody else")
    job = await ended(store, webhook=HOOK, metadata={"customer": "42", "order": "7"})
    other = await ended(store, metadata={"customer": "43"})

    owed = await store.delivery_log.of_job(job.id)
    assert [(each.event_type, each.endpoint_id, each.lane) for each in owed] == [
        ("job.queued", submissions.id, submissions.id),
        ("job.failed", None, "example.test:8443"),
        ("job.failed", usual.id, usual.id),
        ("job.failed", choosy.id, choosy.id),
    ]
    submission, *endings = owed
    assert b'"type":"job.queued"' in submission.body
    assert f'"id":"{submission.event_id}","sequence":1'.encode() in submission.body
    assert len({(each.event_id, each.body) for each in endings}) == 1
    assert [each.endpoint_id for each in await store.delivery_log.of_job(other.id)] == [
        submissions.id,
        usual.id,
    ]


async def test_what_is_due_is_claimed_once_and_signed_by_whom_it_is_for(
    store: Store, second: Store
) -> None:
    key = await store.keys.add("acme", new_key(), "whsec_of_the_key", NOON)
    old = (OldSecret("whsec_old", LATER), OldSecret("whsec_older", NOON))
    endpoint = await registered(store, secret="whsec_new", old_secrets=old)
    await ended(store, webhook=HOOK, api_key_id=key.id)
    claims = await asyncio.gather(*(claim(each) for each in [store, second] * 10))
    found = {each.delivery.endpoint_id: each for some in claims for each in some}
    assert sum(map(len, claims)) == 2
    assert found[None].secrets == ("whsec_of_the_key",)
    assert found[endpoint.id].secrets == ("whsec_new", "whsec_old")
    assert found[endpoint.id].endpoint == endpoint
    assert await claim(store, NOON + timedelta(seconds=29)) == []
    assert len(await claim(store, NOON + timedelta(seconds=30))) == 2, "nobody saved: due again"


async def test_a_key_that_is_gone_signs_nothing(store: Store) -> None:
    await ended(store, webhook=HOOK)
    (claimed,) = await claim(store)
    assert (claimed.secrets, claimed.endpoint) == ((), None)


async def test_attempts_are_saved_with_what_came_of_them(store: Store) -> None:
    endpoint = await registered(store)
    job = await ended(store)
    (claimed,) = await claim(store)
    busy = DeliveryOutcome(status=503, excerpt="busy 猫", duration=timedelta(milliseconds=1234))
    waiting = await tried(store, claimed, busy)
    assert waiting.wake_at == NOON + timedelta(seconds=5)
    (claimed,) = await claim(store, LATER)
    await tried(store, claimed, DeliveryOutcome(status=204), LATER)
    found = await store.delivery_log.get(claimed.delivery.id, "acme")
    assert found is not None
    delivery, attempts = found
    assert (delivery.state, delivery.attempts, delivery.last_status) == (S.DELIVERED, 2, 204)
    assert (delivery.endpoint_id, delivery.job_id) == (endpoint.id, job.id)
    assert [(a.number, a.status, a.response) for a in attempts] == [
        (1, 503, "busy 猫"),
        (2, 204, ""),
    ]
    assert attempts[0].duration == busy.duration
    assert attempts[0].next_attempt_at == waiting.wake_at
    assert await store.delivery_log.get(delivery.id, "somebody else") is None
    assert await claim(store, LATER + timedelta(days=9)) == []


async def test_a_save_that_comes_too_late_is_dropped(store: Store) -> None:
    await registered(store)
    await ended(store)
    (first,) = await claim(store)
    (again,) = await claim(store, LATER)
    await tried(store, again, DeliveryOutcome(status=200), LATER)
    await tried(store, first, DeliveryOutcome(status=500), LATER)
    found = await store.delivery_log.get(first.delivery.id, "acme")
    assert found is not None
    assert found[0].state is S.DELIVERED


async def test_what_is_put_aside_is_pulled_by_lane_and_in_order(store: Store) -> None:
    hung = await registered(store)
    well = await registered(store, url="https://well.test/")
    for _ in range(5):
        await ended(store)
    claimed = await claim(store)
    assert len(claimed) == 10
    await store.deliveries.set_aside([each.delivery for each in claimed], LATER)
    assert await claim(store) == []
    pulled = await store.deliveries.pull({hung.id: 2, well.id: 9}, NOON, LATER)
    lanes = [each.delivery.lane for each in pulled]
    assert (lanes.count(hung.id), lanes.count(well.id)) == (2, 5)
    ids = [each.delivery.id for each in pulled if each.delivery.lane == hung.id]
    assert ids == sorted(each.delivery.id for each in claimed if each.delivery.lane == hung.id)[:2]
    assert await store.deliveries.pull({well.id: 9}, NOON, LATER) == []
    assert len(await claim(store, LATER)) == 10, "aside or pulled, in the end it is due again"


async def test_only_the_first_of_an_ordered_endpoint_may_go(store: Store) -> None:
    endpoint = await registered(store, ordered=True)
    jobs = [await ended(store) for _ in range(3)]
    first, *others = in_order(await claim(store))
    assert first.delivery.job_id == jobs[0].id
    assert [each.blocked for each in (first, *others)] == [False, True, True]
    await tried(store, first, DeliveryOutcome(status=500))
    await store.deliveries.set_aside([each.delivery for each in others], LATER)
    (next_one,) = await store.deliveries.pull({endpoint.id: 1}, NOON, LATER)
    assert next_one.blocked, "the first is to be tried again"
    (first,) = await claim(store, NOON + timedelta(seconds=10))
    await tried(store, first, DeliveryOutcome(status=200))
    claimed = in_order(await claim(store, LATER))
    assert [each.blocked for each in claimed] == [False, True]


async def test_a_job_whose_receiver_is_gone_is_told_nothing_more(store: Store) -> None:
    endpoint = await registered(store)
    hook = Webhook(url=HOOK.url, events=("job.queued", "job.failed"))
    job, other = await ended(store, webhook=hook), await ended(store, webhook=hook)
    assert await store.deliveries.stop(job.id, LATER, "canceled: gone") == 2
    kept = await store.delivery_log.of_job(job.id)
    assert [each.state for each in kept if each.endpoint_id is None] == [S.CANCELED] * 2
    assert [each.state for each in kept if each.endpoint_id == endpoint.id] == [S.QUEUED]
    assert {each.state for each in await store.delivery_log.of_job(other.id)} == {S.QUEUED}


async def test_the_log_is_filtered_and_walked_newest_first(store: Store) -> None:
    endpoint = await registered(store)
    born = [NOON + timedelta(hours=hour) for hour in range(4)]
    jobs = [await ended(store, webhook=HOOK, created_at=at) for at in born]
    (sent, *_) = await claim(store)
    await tried(store, sent, DeliveryOutcome(status=410))

    async def listed(**wanted: Any) -> list[str | None]:
        page = await store.delivery_log.page("acme", LogFilters(**wanted), limit=50)
        assert page == sorted(page, key=lambda each: each.id, reverse=True)
        return [each.job_id for each in page]

    ids = [job.id for job in reversed(jobs)]
    assert await listed(endpoint_id=endpoint.id) == ids
    assert await listed(state=S.FAILED) == [jobs[0].id]
    assert await listed(job_id=jobs[2].id) == [jobs[2].id] * 2
    assert await listed(event_type="job.succeeded") == []
    assert await listed(endpoint_id=endpoint.id, created_after=born[2]) == ids[:2]
    assert await listed(endpoint_id=endpoint.id, created_before=born[2]) == ids[2:]
    assert await store.delivery_log.page("nobody", LogFilters(), limit=50) == []
    seen: list[str] = []
    before: str | None = None
    while page := await store.delivery_log.page("acme", LogFilters(), limit=3, before=before):
        seen += [each.id for each in page]
        before = seen[-1]
    assert len(seen) == len(set(seen)) == 8


async def test_a_delivery_is_sent_again_or_withdrawn_as_its_owner_says(store: Store) -> None:
    await registered(store)
    await ended(store)
    (claimed,) = await claim(store)
    delivered = await tried(store, claimed, DeliveryOutcome(status=200))
    log = store.delivery_log
    assert await log.resend(delivered.id, "somebody else", LATER) is None
    assert await log.cancel(delivered.id, "acme", LATER) == replace(
        delivered, version=claimed.delivery.version
    )
    again = await log.resend(delivered.id, "acme", LATER)
    assert again is not None
    assert (again.state, again.wake_at, again.tries, again.attempts) == (S.QUEUED, LATER, 0, 1)
    (claimed,) = await claim(store, LATER)
    assert claimed.delivery.event_id == delivered.event_id
    withdrawn = await log.cancel(delivered.id, "acme", LATER)
    assert withdrawn is not None
    assert withdrawn.state is S.CANCELED
    await tried(store, claimed, DeliveryOutcome(status=200), LATER)
    found = await log.get(delivered.id, "acme")
    assert found is not None
    assert found[0].state is S.CANCELED, "what was on the wire changes nothing any more"


async def test_what_failed_since_is_recovered_and_what_is_pending_withdrawn(store: Store) -> None:
    endpoint = await registered(store)
    born = [NOON + timedelta(hours=hour) for hour in range(4)]
    jobs = [await ended(store, created_at=at) for at in born]
    for claimed in await claim(store, born[3]):
        await tried(store, claimed, DeliveryOutcome(status=410), born[3])
    log, now = store.delivery_log, NOON + timedelta(hours=9)
    assert await log.recover("whe_other", born[0], now, now) == 0
    assert await log.recover(endpoint.id, born[1], born[3], now) == 2
    claimed = await claim(store, now)
    assert sorted(each.delivery.job_id or "" for each in claimed) == [jobs[1].id, jobs[2].id]
    counts = await log.counts(endpoint.id, NOON)
    assert counts == {S.QUEUED: 2, S.FAILED: 2, S.DELIVERED: 0, S.CANCELED: 0}
    assert await log.oldest_pending(endpoint.id) == born[1]
    assert await log.cancel_pending(endpoint.id, now) == 2
    assert await log.cancel_pending(endpoint.id, now) == 0
    assert await log.oldest_pending(endpoint.id) is None
    assert (await log.counts(endpoint.id, born[2]))[S.CANCELED] == 1


async def test_an_endpoint_is_sent_what_it_has_missed_once(store: Store) -> None:
    jobs = [await ended(store, metadata={"n": str(n % 2)}) for n in range(4)]
    await ended(store, tenant="somebody else")
    endpoint = await registered(store, metadata={"n": "1"})
    now, tomorrow = LATER, NOON + timedelta(days=400)
    since = NOON - timedelta(days=1)
    assert await store.replay.missing(endpoint, since, NOON - timedelta(hours=1), now) == 0
    assert await store.replay.missing(endpoint, since, tomorrow, now) == 2
    assert await store.replay.missing(endpoint, since, tomorrow, now) == 0
    claimed = await claim(store, now)
    assert {each.delivery.job_id for each in claimed} == {jobs[1].id, jobs[3].id}
    (one, _) = claimed
    assert f'"id":"{one.delivery.event_id}"'.encode() in one.delivery.body
