"""
What a clock has left asleep.

`wake_at` is read off the clock of the machine that set it. A clock that goes back by an hour leaves
every job and every delivery waiting an hour longer than anybody meant.
"""

from datetime import datetime, timedelta

from sqlalchemy import update

from generation.job import JobState
from generation.store.database import Database
from generation.store.schema import deliveries, jobs

#: Whoever waits for less than this is left to wait.
HARMLESS = timedelta(minutes=1)

UNHURRIED = (JobState.SUBMITTING, JobState.EXPIRED)


async def rouse(database: Database, now: datetime, lease: timedelta) -> int:
    """
    Wake whoever is to sleep for more than a minute: one look, search or attempt comes early, which
    costs little. Submits on the wire keep one `lease` from now. Returns how many were woken.
    """
    late = now + HARMLESS
    hurried = (
        update(jobs)
        .where(jobs.c.wake_at > late, jobs.c.state.not_in(UNHURRIED))
        .values(wake_at=now, not_before=None)
    )
    leased = (
        update(jobs)
        .where(jobs.c.wake_at > late, jobs.c.state == JobState.SUBMITTING)
        .values(wake_at=now + lease)
    )
    owed = update(deliveries).where(deliveries.c.wake_at > late).values(wake_at=now)
    async with database.writing() as connection:
        counts = [(await connection.execute(query)).rowcount for query in (hurried, leased, owed)]
    return sum(counts)
