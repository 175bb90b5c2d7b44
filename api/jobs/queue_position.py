"""The queue position of a waiting job, and why it waits."""

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

#: For running jobs, the health of keys is read at most this often.
HEALTH_CACHE = timedelta(seconds=1)
#: States of a job that has, or may have, a task upstream.
UPSTREAM = frozenset({JobState.RUNNING, JobState.AWAITING_INPUT, JobState.IN_DOUBT})


class QueuePositions:
    """Reads wait queues and the health of keys. A job that has ended costs no query."""

    def __init__(self, store: Store, stations: Stations) -> None:
        self._queues = store.queues
        self._accounts = store.accounts
        self._stations = stations
        self._known: Mapping[KeyName, KeyHealth] = {}
        self._read_at: float | None = None

    async def of(self, job: Job) -> tuple[Job, int | None]:
        """Return the job with its current reason for waiting, and its position in the wait queue.

        The stored reason is the one with which the job entered the queue. If all keys of the queue
        are blocked or paused since, that is the reason now.
        """
        if job.line is not None:
            position = await self._queues.position(job)
            return self._with_key_reasons(job, await self._accounts.all()), position
        if job.state in UPSTREAM:
            return await self._with_poll_block(job), None
        return job, None

    def _with_key_reasons(self, job: Job, known: Mapping[KeyName, KeyHealth]) -> Job:
        now = datetime.now(UTC)
        reasons: list[str | None] = []
        for name in keys_of(job.line or ""):
            station = self._stations.get(name[0])
            key = station.key(name[1]) if station else None
            capacity = Capacity(key, known.get(name) or KeyHealth.of(name)) if key else None
            reasons.append(
                (capacity and (capacity.trouble(now) or capacity.held_back(job, now))) or None
            )
        found = [reason for reason in reasons if reason]
        return job.evolve(reason="; ".join(found)) if len(found) == len(reasons) else job

    async def _with_poll_block(self, job: Job) -> Job:
        """Return the job; with a reason if its key cannot be used to poll at the moment."""
        try:
            binding = bind(self._stations, job)
        except BindingLost as error:
            return job.evolve(reason=str(error))
        account, now = (await self._recent_health()).get(binding.station_key), datetime.now(UTC)
        if account is None or not account.is_unwatched(now):
            return job
        until = f"{account.look_after:%H:%M:%S} UTC"
        station, key = binding.station_key
        return job.evolve(
            reason=f"station {station} refuses to be asked with key {key} until {until}"
        )

    async def _recent_health(self) -> Mapping[KeyName, KeyHealth]:
        now = monotonic()
        if self._read_at is None or now - self._read_at >= HEALTH_CACHE.total_seconds():
            self._known, self._read_at = await self._accounts.all(), now
        return self._known
