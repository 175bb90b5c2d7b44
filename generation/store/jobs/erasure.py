"""Erases a job's content at its caller's request.

Request and results are erased in the job, its events and its deliveries. Cost, place and times are
kept, because bills are disputed for months.
"""

from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.events import QUEUED, as_born, payload_of
from generation.job import Job, JobState
from generation.job_document import job_document
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import read_one
from generation.store.jobs.rows import read_jobs
from generation.store.schema import (
    deliveries,
    delivery_attempts,
    event_feed,
    job_events,
    job_labels,
    jobs,
)
from generation.webhooks.delivery import DeliveryState

#: Replaces the upstream's messages.
ERASED = "erased"


class StillNeeded(Exception):
    """The content cannot be erased yet; the message says what needs it."""


class ErasureStore:
    """Erases jobs, one at a time."""

    def __init__(self, database: Database, *, base_url: str = "") -> None:
        self._database = database
        self._base_url = base_url

    async def erase(self, job_id: str, tenant: str, now: datetime) -> Job | None:
        """Erase a job's content permanently.

        Returns the remaining job, or None if the tenant has no such job. Raises `StillNeeded` for
        an unfinished job, or one that an unsent job follows. Pending deliveries are canceled, and
        late successes are no longer looked for. Repeating it changes nothing.
        """
        query = select(jobs).where(jobs.c.id == job_id, jobs.c.tenant == tenant)
        async with self._database.writing() as connection:
            job = await read_one(connection, query.with_for_update(), jobs.c.id, read_jobs)
            if job is None:
                return None
            if job.erased_at is not None:
                return job
            await check_unneeded(connection, job)
            # Locked like the assignment of feed positions does, to avoid deadlocks.
            await connection.execute(select(event_feed.c.last).with_for_update())
            await erase_content(connection, job, now)
            (kept,) = read_jobs(await connection.execute(query))
            await erase_events(connection, kept, now, self._base_url)
        return kept


async def check_unneeded(connection: AsyncConnection, job: Job) -> None:
    """Raise `StillNeeded` if something needs the content."""
    if not job.is_terminal:
        raise StillNeeded(f"the job is {job.state}; cancel it, or wait until it has ended")
    following = (
        select(jobs.c.id)
        .where(
            jobs.c.parent_id == job.id,
            or_(jobs.c.state == JobState.QUEUED, jobs.c.state == JobState.SUBMITTING),
        )
        .limit(1)
    )
    if found := (await connection.execute(following)).scalar():
        raise StillNeeded(f"{found} follows it and is not sent yet; cancel that, or wait")


async def erase_content(connection: AsyncConnection, job: Job, now: datetime) -> None:
    error = job.error and asdict(replace(job.error, message=ERASED))
    await connection.execute(
        update(jobs)
        .where(jobs.c.id == job.id)
        .values(
            input={},
            metadata={},
            webhook=None,
            reason="",
            upstream_details={},
            answer=None,
            last_reply="",
            result=None,
            error=error,
            wake_at=None,
            erased_at=now,
            updated_at=now,
            version=jobs.c.version + 1,
        )
    )
    await connection.execute(delete(job_labels).where(job_labels.c.job_id == job.id))


async def erase_events(connection: AsyncConnection, job: Job, now: datetime, base_url: str) -> None:
    """Replace the content of events and deliveries with what the job still says.

    A delivery that its owner sends again later contains no erased content.
    """

    def body(event_id: str, event_type: str, at: datetime, sequence: int) -> bytes:
        data = job_document(as_born(job) if event_type == QUEUED else job, base_url)
        return payload_of(event_id, event_type, at, sequence, data)

    log = select(job_events).where(job_events.c.job_id == job.id)
    events = {event.id: event for event in await connection.execute(log)}
    for event in events.values():
        kept = event.body and body(event.id, event.type, event.created_at, event.sequence)
        change = update(job_events).where(job_events.c.id == event.id)
        await connection.execute(change.values(body=kept, reason=""))
    of_this_job = deliveries.c.job_id == job.id
    for sent in (await connection.execute(select(deliveries).where(of_this_job))).all():
        event = events.get(sent.event_id)  # or it was pruned before the delivery
        at, sequence = (event.created_at, event.sequence) if event else (sent.created_at, 0)
        change = update(deliveries).where(deliveries.c.id == sent.id)
        new_body = body(sent.event_id, sent.event_type, at, sequence)
        await connection.execute(change.values(body=new_body))
    responses = update(delivery_attempts).where(
        delivery_attempts.c.delivery_id.in_(select(deliveries.c.id).where(of_this_job))
    )
    await connection.execute(responses.values(response=""))
    await connection.execute(
        update(deliveries)
        .where(of_this_job, deliveries.c.state == DeliveryState.QUEUED.value)
        .values(
            state=DeliveryState.CANCELED.value,
            wake_at=None,
            aside=False,
            finished_at=now,
            last_error="canceled: the job was erased",
            version=deliveries.c.version + 1,
        )
    )
