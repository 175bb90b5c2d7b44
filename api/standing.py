"""
Where a waiting job stands: its place in line, and what holds up the whole line.
"""

from datetime import UTC, datetime

from generation.account import Account
from generation.capacity import Capacity
from generation.job import Job
from generation.line import keys_of
from generation.stations import Stations
from generation.store import Store


class Standing:
    """Looks at the lines. A job that stands in none costs nothing."""

    def __init__(self, store: Store, stations: Stations) -> None:
        self._queues = store.queues
        self._accounts = store.accounts
        self._stations = stations

    async def of(self, job: Job) -> tuple[Job, int | None]:
        """
        The job with the reason it waits for now, and its position. A job keeps the reason it had
        when it got in line; what has befallen all of the line's keys since says more.
        """
        if job.line is None:
            return job, None
        position = await self._queues.position(job)
        known = await self._accounts.all()
        now = datetime.now(UTC)
        troubles: list[str | None] = []
        for name in keys_of(job.line):
            station = self._stations.get(name[0])
            key = station.key(name[1]) if station else None
            account = known.get(name) or Account.of(name)
            troubles.append(Capacity(key, account).trouble(now) if key else None)
        words = [trouble for trouble in troubles if trouble]
        if len(words) == len(troubles):
            job = job.but(reason="; ".join(words))
        return job, position
