"""
How long tasks take here, as workers have learned it.

Read anew at most once a minute, beside the answer that noticed; no answer waits for it, and without
it a pace is what is usual.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.catalogue import Offer
from generation.binding import Unbound, bind
from generation.durations import Sketch
from generation.job import Job
from generation.operation import Pace
from generation.stations import Stations
from generation.store import DurationStore, Kind

log = structlog.get_logger(__name__)

READ_EVERY = timedelta(seconds=60)


class Paces:
    """Paces of jobs by station, provider, operation and model. Lives on one event loop."""

    def __init__(self, store: DurationStore, stations: Stations) -> None:
        self._store = store
        self._stations = stations
        self._sketches: dict[Kind, Sketch] = {}
        self._learned: dict[Kind, Pace] = {}
        self._read_at = -READ_EVERY.total_seconds()
        self._reading: asyncio.Task[None] | None = None

    def pace(self, job: Job, offer: Offer) -> Pace:
        """The pace of such jobs at the job's station, or at the one that is asked first."""
        if monotonic() - self._read_at > READ_EVERY.total_seconds():
            self._read_at = monotonic()
            self._reading = asyncio.get_running_loop().create_task(self._read())
        station, pace = offer.stations[0], offer.pace
        if job.station is not None:
            try:
                pace = bind(self._stations, job).pace
            except Unbound:
                return pace
            station = job.station
        kind = Kind(station, job.provider, job.operation, job.model)
        seen = self._sketches.get(kind)
        if seen is None:
            return pace
        if kind not in self._learned:
            self._learned[kind] = replace(pace, seen=seen)
        return self._learned[kind]

    async def _read(self) -> None:
        try:
            self._sketches = await self._store.all()
        except (SQLAlchemyError, OSError) as error:
            log.warning("durations_not_read", error=f"{type(error).__name__}: {error}")
        self._learned.clear()
