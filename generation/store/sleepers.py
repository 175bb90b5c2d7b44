"""
What a clock has left asleep.

`wake_at` is read off the clock of the machine that set it. A clock that goes back by an hour leaves
every job, every delivery and every key that was called too fast waiting an hour longer than anybody
meant.
"""

from datetime import datetime, timedelta

from sqlalchemy import update

from generation.job import JobState
from generation.store.database import Database
from generation.store.schema import HOLDING, accounts, deliveries, jobs

#: After a clock was seen to go back, whoever waits for less than this is left to wait.
HARMLESS = timedelta(minutes=1)
#: Nobody who is about to be looked at, searched for or told for the first time waits for longer.
UNUSUAL = timedelta(minutes=15)

UNHURRIED = (JobState.SUBMITTING, JobState.EXPIRED)


async def rouse(database: Database, now: datetime, lease: timedelta, *, stepped: bool) -> int:
    """
    Wake whoever sleeps for unusually long; after a step back of the clock, nearly everybody, and
    forget what patience keys and jobs were asked for. One look, search or attempt comes early,
    which costs little. Submits on the wire keep one `lease` from now. Whoever stands in a line
    sleeps until the deadline on purpose, and is called. Returns how many were woken.
    """
    late = now + (HARMLESS if stepped else UNUSUAL)
    hurried = update(jobs).where(
        jobs.c.wake_at > late, jobs.c.state.not_in(UNHURRIED), jobs.c.line.is_(None)
    )
    leased = update(jobs).where(jobs.c.wake_at > late, jobs.c.state == JobState.SUBMITTING)
    owed = update(deliveries).where(deliveries.c.wake_at > late, deliveries.c.attempts == 0)
    waking = [
        hurried.values(wake_at=now, **({"not_before": None} if stepped else {})),
        leased.values(wake_at=now + lease),
        owed.values(wake_at=now),
    ]
    waits = (accounts.c.cool_until, accounts.c.probe_at, accounts.c.full_at)
    keys = [update(accounts).where(wait > late).values({wait.name: now}) for wait in waits]
    called = update(jobs).where(HOLDING, jobs.c.slot_until > late, jobs.c.state == JobState.QUEUED)
    keys.append(called.values(slot_until=None))
    async with database.writing() as connection:
        counts = [(await connection.execute(query)).rowcount for query in waking]
        for query in keys if stepped else ():
            await connection.execute(query)
    return sum(counts)
