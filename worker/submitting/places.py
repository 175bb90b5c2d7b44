"""Limits of concurrent submits per station in one worker process.

A submit is open until its station answers. A station that does not answer would use all of the
process's submits, and jobs of every other station would wait. So half of them are reserved for the
stations in equal shares.
"""

from collections import Counter


class SubmitLimits:
    """The open submits of this process, by station. `places` is the limit in all."""

    def __init__(self, places: int, stations: int) -> None:
        share = places // 2 // max(1, stations)
        self._limit = max(1, places - share * (stations - 1))
        self._station_of: dict[str, str] = {}
        self._taken: Counter[str] = Counter()

    def free(self, station: str) -> int:
        """Return how many more submits may go to this station now."""
        return max(0, self._limit - self._taken[station])

    def take(self, job_id: str, station: str) -> None:
        """The job is submitted to this station. A job counts once, whatever was decided before."""
        self.leave(job_id)
        self._station_of[job_id] = station
        self._taken[station] += 1

    def leave(self, job_id: str) -> None:
        """The job's submit has ended, or was not sent."""
        station = self._station_of.pop(job_id, None)
        if station is not None:
            self._taken[station] -= 1
