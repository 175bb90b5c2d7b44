"""
When to ask again: told with every job that has not ended.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from api.catalogue import Catalogue
from api.paces import Paces
from generation.job import Job
from generation.operation import Pace
from generation.pace import next_look

#: Seconds, where there is nothing to reckon with: the station is not in use any more.
UNKNOWN = 10


class Hints:
    """Polling hints of jobs, from how long such jobs take here and how old they are."""

    def __init__(self, catalogue: Catalogue, paces: Paces) -> None:
        self._catalogue = catalogue
        self._paces = paces

    def headers(self, job: Job, now: datetime) -> Mapping[str, str]:
        """
        `Retry-After` in whole seconds, and `openai-poll-after-ms` for clients that know it: when a
        worker will have looked next, on average. Nothing for a job that has ended.
        """
        if job.is_terminal:
            return {}
        entry = self._catalogue.find(job.provider, job.operation)
        offer = entry.offer if entry else None
        if offer is None:
            return poll_after(UNKNOWN)
        # One that waits for its turn has then still all of its time before it.
        age = max(now - job.started_at, timedelta(0)) if job.started_at else timedelta(0)
        return after_look(self._paces.pace(job, offer), age)


def after_look(pace: Pace, age: timedelta) -> Mapping[str, str]:
    return poll_after(math.ceil(next_look(pace, age, dice=0.5).total_seconds()))


def poll_after(seconds: int) -> Mapping[str, str]:
    seconds = max(1, seconds)
    return {"Retry-After": str(seconds), "openai-poll-after-ms": str(seconds * 1000)}
