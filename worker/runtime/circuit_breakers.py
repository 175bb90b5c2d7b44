"""The circuit breakers of all stations, as one worker process knows them.

Each process decides for itself. A shared breaker would be a row that every look writes; detecting a
fault costs a process ten requests that create nothing, and a station that fails for one worker (its
network, its DNS) may answer another.
"""

from collections import defaultdict
from collections.abc import Callable
from time import monotonic

import structlog

from generation.contract.errors import Unreachable
from generation.stations.circuit_breaker import CircuitBreaker, CircuitState, verdict

log = structlog.get_logger(__name__)


class CircuitBreakers:
    """Belongs to one event loop. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._breakers: defaultdict[str, CircuitBreaker] = defaultdict(CircuitBreaker)

    def heard(self, station: str, answer: object, about: str) -> None:
        """Record the outcome of a request to this station.

        `about` is a job's id, or the name of a batch.
        """
        ok = verdict(answer)
        if ok is None:
            return
        breaker, now = self._breakers[station], self._clock()
        before = breaker.state(now)
        breaker.heard(ok, now, None if isinstance(answer, Unreachable) else about)
        after = breaker.state(now)
        if after is not before:
            log.warning("circuit_breaker", station=station, before=before.value, after=after.value)

    def may_try(self, station: str, job_id: str) -> bool:
        """Return whether a request about this job may be sent there now."""
        return self._breakers[station].may_try(job_id, self._clock())

    def state(self, station: str) -> CircuitState:
        return self._breakers[station].state(self._clock())

    def is_open(self, station: str) -> bool:
        """Return whether nothing may be sent to this station. Half-open counts as not open."""
        return self.state(station) is CircuitState.OPEN
