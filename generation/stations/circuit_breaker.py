"""The circuit breaker of a station: whether requests are sent to it at the moment.

Pure.

closed ──▶ open          most requests of the last minutes failed, or ten in a row open ──▶
half-open       half a minute later half-open ──▶ closed     five answers half-open ──▶ open one
failure

It spares a station that is down, and the slots that its hanging answers would take. It never
decides about a job: a job that meets an open circuit breaker waits.

The failures of one job count once, until one of its requests is answered: repeated failures of the
same job say no more about the station. So several jobs are needed to open it, unless no connection
is made. Trials go to jobs whose last request did not fail, if there are any soon.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    ForeignHost,
    QueueFull,
    Rejected,
    Scope,
    Throttled,
)

WINDOW_SECONDS = 300.0
#: The window forgets in steps of this length.
STEP_SECONDS = 10.0
FEWEST_REQUESTS = 10
FAILED_SHARE = 0.7
MOST_IN_A_ROW = 10
OPEN_SECONDS = 30.0
TRIALS = 5
#: How long after becoming half-open jobs whose last request failed are not tried.
OTHERS_FIRST_SECONDS = 5.0
#: The number of jobs whose last request failed that are remembered.
MOST_FAILING = 10_000


class CircuitState(StrEnum):
    """Whether requests are sent."""

    #: Requests are sent.
    CLOSED = "closed"
    #: No requests are sent.
    OPEN = "open"
    #: A few requests are sent, to learn whether the station answers again.
    HALF_OPEN = "half-open"


@dataclass(slots=True)
class WindowStep:
    """The answers in one step of the window."""

    began: float
    answered: int = 0
    failed: int = 0


@dataclass(slots=True)
class CircuitBreaker:
    """The circuit breaker of one station. Times are seconds of a monotonic clock."""

    _steps: deque[WindowStep] = field(default_factory=deque[WindowStep])
    _answered: int = 0
    _failed: int = 0
    _failed_in_a_row: int = 0
    _opened_at: float | None = None
    _trials_passed: int = 0
    #: Jobs whose last request failed, oldest first.
    _failing: dict[str, None] = field(default_factory=dict[str, None])

    def state(self, now: float) -> CircuitState:
        if self._opened_at is None:
            return CircuitState.CLOSED
        waited = now - self._opened_at >= OPEN_SECONDS
        return CircuitState.HALF_OPEN if waited else CircuitState.OPEN

    def may_try(self, job_id: str, now: float) -> bool:
        """Return whether a request about this job may be sent now."""
        match self.state(now):
            case CircuitState.OPEN:
                return False
            case CircuitState.HALF_OPEN:
                assert self._opened_at is not None
                waited = now - self._opened_at >= OPEN_SECONDS + OTHERS_FIRST_SECONDS
                return waited or job_id not in self._failing
            case CircuitState.CLOSED:
                return True

    def heard(self, ok: bool, now: float, about: str | None = None) -> None:
        """Record how one request ended, and for which job.

        `job_id` is None if no connection was made, which no job causes. Answers to requests from
        before it opened are not counted.
        """
        is_new = self._is_new(ok, about)
        match self.state(now):
            case CircuitState.OPEN:
                return
            case CircuitState.HALF_OPEN if ok:
                self._trials_passed += 1
                if self._trials_passed >= TRIALS:
                    self._close()
            case CircuitState.HALF_OPEN if is_new or not self._trials_passed:
                self._open(now)
            case CircuitState.CLOSED if is_new:
                self._count(ok, now)
                if self._is_too_much():
                    self._open(now)
            case _:
                return

    def _is_new(self, ok: bool, about: str | None) -> bool:
        """Return whether this adds anything to what the same job's last request showed."""
        if about is None:
            return True
        if ok:
            self._failing.pop(about, None)
            return True
        known = about in self._failing
        self._failing[about] = None
        if len(self._failing) > MOST_FAILING:
            self._failing.pop(next(iter(self._failing)))
        return not known

    def _count(self, ok: bool, now: float) -> None:
        while self._steps and now - self._steps[0].began >= WINDOW_SECONDS:
            forgotten = self._steps.popleft()
            self._answered -= forgotten.answered
            self._failed -= forgotten.failed
        if not self._steps or now - self._steps[-1].began >= STEP_SECONDS:
            self._steps.append(WindowStep(now))
        step = self._steps[-1]
        step.answered += ok
        step.failed += not ok
        self._answered += ok
        self._failed += not ok
        self._failed_in_a_row = 0 if ok else self._failed_in_a_row + 1

    def _is_too_much(self) -> bool:
        heard = self._answered + self._failed
        mostly = heard >= FEWEST_REQUESTS and self._failed >= FAILED_SHARE * heard
        return mostly or self._failed_in_a_row >= MOST_IN_A_ROW

    def _open(self, now: float) -> None:
        self._close()
        self._opened_at = now

    def _close(self) -> None:
        self._steps.clear()
        self._answered = self._failed = self._failed_in_a_row = self._trials_passed = 0
        self._opened_at = None


def verdict(answer: object) -> bool | None:
    """Return whether this answer counts for the station (True) or against it (False).

    None if it says nothing about its health: rate limits, a full queue, a request that genq did not
    send, and problems of the request, the key, the balance or one model.
    """
    match answer:
        case Fault(scope=Scope.MODEL):
            return None
        case Throttled() | QueueFull() | AccountBlocked() | ForeignHost():
            return None
        case Rejected(code=ErrorCode.NOT_FOUND):
            return True
        case Rejected():
            return None
        case Fault():
            return False
        case _:
            return True
