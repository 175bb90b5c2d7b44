"""
Where a waiting job stands: its place in line, and what holds it up that is not its own doing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic

from generation.job import Job, JobState
from generation.stations.binding import BindingLost, bind
from generation.stations.key_capacity import Capacity
from generation.stations.key_health import KeyHealth, KeyName
from generation.stations.station import Stations
from generation.stations.wait_queue import keys_of
from generation.store import Store

#: What is known of keys is read no more often than this, however many ask about jobs that run.
FRESH_FOR = timedelta(seconds=1)
#: Where a task is, or may be, at a station.
UPSTREAM = frozenset({JobState.RUNNING, JobState.AWAITING_INPUT, JobState.IN_DOUBT})


class Standing:
    """Looks at the lines and the keys. A job that has ended costs nothing."""

    def __init__(self, store: Store, stations: Stations) -> None:
        self._queues = store.queues
        self._accounts = store.accounts
        self._stations = stations
        self._known: Mapping[KeyName, KeyHealth] = {}
        self._read_at: float | None = None

    async def of(self, job: Job) -> tuple[Job, int | None]:
        """
        The job with the reason it waits for now, and its position. A job keeps the reason it had
        when it got in line; what has befallen all of the line's keys since says more.
        """
        if job.line is not None:
            position = await self._queues.position(job)
            return self._in_line(job, await self._accounts.all()), position
        if job.state in UPSTREAM:
            return await self._upstream(job), None
        return job, None

    def _in_line(self, job: Job, known: Mapping[KeyName, KeyHealth]) -> Job:
        now = datetime.now(UTC)
        troubles: list[str | None] = []
        for name in keys_of(job.line or ""):
            station = self._stations.get(name[0])
            key = station.key(name[1]) if station else None
            capacity = Capacity(key, known.get(name) or KeyHealth.of(name)) if key else None
            troubles.append(
                (capacity and (capacity.trouble(now) or capacity.held_back(job, now))) or None
            )
        found = [trouble for trouble in troubles if trouble]
        return job.evolve(reason="; ".join(found)) if len(found) == len(troubles) else job

    async def _upstream(self, job: Job) -> Job:
        """With what keeps everybody from asking about it, if anything does."""
        try:
            binding = bind(self._stations, job)
        except BindingLost as error:
            return job.evolve(reason=str(error))
        account, now = (await self._lately()).get(binding.station_key), datetime.now(UTC)
        if account is None or not account.is_unwatched(now):
            return job
        until = f"{account.look_after:%H:%M:%S} UTC"
        station, key = binding.station_key
        return job.evolve(
            reason=f"station {station} refuses to be asked with key {key} until {until}"
        )

    async def _lately(self) -> Mapping[KeyName, KeyHealth]:
        now = monotonic()
        if self._read_at is None or now - self._read_at >= FRESH_FOR.total_seconds():
            self._known, self._read_at = await self._accounts.all(), now
        return self._known
