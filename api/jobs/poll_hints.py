"""Poll hints: when a caller should look at an unfinished job again."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.operations.catalogue import Catalogue, Offer
from generation.job import Job
from generation.polling.duration_histogram import DurationHistogram
from generation.polling.pace import Pace
from generation.polling.schedule import next_look
from generation.stations.binding import BindingLost, bind
from generation.stations.station import Stations
from generation.store import DurationStore, Kind

log = structlog.get_logger(__name__)

REFRESH_AFTER = timedelta(seconds=60)
#: Seconds, for a job whose operation is not offered any more.
DEFAULT_SECONDS = 10


class LearnedPaces:
    """Poll schedules with learned durations, per station, provider, operation and model.

    Belongs to one event loop. A task of its own reads the durations again every minute.
    """

    def __init__(self, store: DurationStore, stations: Stations) -> None:
        self._store = store
        self._stations = stations
        self._histograms: dict[Kind, DurationHistogram] = {}
        self._learned: dict[Kind, Pace] = {}
        self._read_at = -REFRESH_AFTER.total_seconds()
        self._reading: asyncio.Task[None] | None = None

    def pace(self, job: Job, offer: Offer) -> Pace:
        """Return the schedule at the job's station; before it has one, at the preferred station."""
        if monotonic() - self._read_at > REFRESH_AFTER.total_seconds():
            self._read_at = monotonic()
            self._reading = asyncio.get_running_loop().create_task(self._read())
        station, pace = offer.stations[0], offer.pace
        if job.station is not None:
            try:
                pace = bind(self._stations, job).pace
            except BindingLost:
                return pace
            station = job.station
        kind = Kind(station, job.provider, job.operation, job.model)
        seen = self._histograms.get(kind)
        if seen is None:
            return pace
        if kind not in self._learned:
            self._learned[kind] = replace(pace, seen=seen)
        return self._learned[kind]

    async def _read(self) -> None:
        try:
            self._histograms = await self._store.all()
        except (SQLAlchemyError, OSError) as error:
            log.warning("durations_not_read", error=f"{type(error).__name__}: {error}")
        self._learned.clear()


class PollHints:
    """Response headers with the time of the next look, by a job's age and usual duration."""

    def __init__(self, catalogue: Catalogue, paces: LearnedPaces) -> None:
        self._catalogue = catalogue
        self._paces = paces

    def headers(self, job: Job, now: datetime) -> Mapping[str, str]:
        """Return `Retry-After` in whole seconds and `openai-poll-after-ms`.

        They are the average time until a worker's next look. A job that has ended has none.
        """
        if job.is_terminal:
            return {}
        entry = self._catalogue.find(job.provider, job.operation)
        offer = entry.offer if entry else None
        if offer is None:
            return poll_after(DEFAULT_SECONDS)
        # A job that was not submitted yet has its whole duration before it.
        age = max(now - job.started_at, timedelta(0)) if job.started_at else timedelta(0)
        return after_look(self._paces.pace(job, offer), age)


def after_look(pace: Pace, age: timedelta) -> Mapping[str, str]:
    return poll_after(math.ceil(next_look(pace, age, jitter=0.5).total_seconds()))


def poll_after(seconds: int) -> Mapping[str, str]:
    seconds = max(1, seconds)
    return {"Retry-After": str(seconds), "openai-poll-after-ms": str(seconds * 1000)}
