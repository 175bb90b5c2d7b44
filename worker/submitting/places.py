"""
How many submits of one worker process each station may occupy.

A submit holds one of the process's places until its station answers. A station that does not answer
would take all of them, and every other station's jobs would wait. So half of the places are set
aside for the stations in equal shares: each of them always finds its share free.
"""

from collections import Counter


class SubmitPlaces:
    """The submits of this process, by station. `places` is how many there may be in all."""

    def __init__(self, places: int, stations: int) -> None:
        share = places // 2 // max(1, stations)
        self._limit = max(1, places - share * (stations - 1))
        self._station_of: dict[str, str] = {}
        self._taken: Counter[str] = Counter()

    def free(self, station: str) -> int:
        """How many more submits may go to this station now."""
        return max(0, self._limit - self._taken[station])

    def take(self, job_id: str, station: str) -> None:
        """The job is sent to this station. A job has one place, whatever was decided before."""
        self.leave(job_id)
        self._station_of[job_id] = station
        self._taken[station] += 1

    def leave(self, job_id: str) -> None:
        """The job's submit has ended, or was not sent."""
        station = self._station_of.pop(job_id, None)
        if station is not None:
            self._taken[station] -= 1
