"""What is on record of one job, read back. Once on SQLite and once on PostgreSQL."""

from dataclasses import replace

from generation.events import QUEUED
from generation.explain import DeliverySummary, RecordedMove
from generation.job import Job, JobState, Webhook
from generation.store import Store, new_key
from generation.webhooks.delivery import DeliveryState
from tests.unit.jobs import NOON, a_job

HOOK = Webhook(url="https://example.test/hook", events=("job.queued", "job.canceled"))


def sent(job: Job) -> Job:
    return job.move(JobState.SUBMITTING, NOON, station="relay", key="main", attempts=1)


def refused(job: Job) -> Job:
    return job.move(JobState.QUEUED, NOON, reason="rate_limited: slowly")


def ended(job: Job) -> Job:
    return job.move(JobState.CANCELED, NOON, reason="enough", finished_at=NOON, wake_at=None)


async def test_a_story_has_every_move_and_every_delivery(store: Store) -> None:
    key = await store.keys.add("acme", new_key(), "whsec_1", NOON)
    job = await store.jobs.insert(a_job(webhook=HOOK, api_key_id=key.id))
    await store.jobs.insert(a_job())
    for decide in (sent, refused, ended):
        await store.jobs.change(job.id, decide)
    history = await store.histories.of_job(job.id, "acme")
    assert history is not None
    assert history.job == await store.jobs.get(job.id)
    assert [(m.sequence, m.type, m.state, m.reason, m.station, m.key) for m in history.moves] == [
        (1, QUEUED, "queued", "", None, None),
        (2, "job.submitting", "submitting", "", "relay", "main"),
        (3, "job.requeued", "queued", "rate_limited: slowly", "relay", "main"),
        (4, "job.canceled", "canceled", "enough", "relay", "main"),
    ]
    assert {type(move) for move in history.moves} == {RecordedMove}
    first, second = history.deliveries
    assert (first.event_type, second.event_type) == (QUEUED, "job.canceled")
    assert (first.event_id, second.event_id) == (history.moves[0].id, history.moves[3].id)
    assert isinstance(first, DeliverySummary)
    assert replace(first, wake_at=None).state is DeliveryState.QUEUED


async def test_another_tenants_story_is_not_told(store: Store) -> None:
    job = await store.jobs.insert(a_job())
    assert await store.histories.of_job(job.id, "somebody else") is None
    assert await store.histories.of_job("job_nowhere", "acme") is None
