"""A job: the request of a caller, its state and its result.

The state machine is here and nowhere else. A job is immutable. `Job.move` is the only way from one
state to another, and the store checks the same moves in its WHERE clause.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from generation.contract.errors import ErrorCode
from generation.contract.status import Action, Asset


class JobState(StrEnum):
    """The states of a job. The comments say what a crash leaves behind."""

    #: Durable and not sent yet. A crash loses nothing: the next tick picks it up.
    QUEUED = "queued"
    #: Claimed; the request may be leaving at this moment. A crash leaves the outcome unknown: once
    #: the claim has expired the job becomes `in_doubt`, never `queued`.
    SUBMITTING = "submitting"
    #: The upstream accepted it, and `upstream_id` is known. A crash costs one look.
    RUNNING = "running"
    #: The upstream waits for a second message from the caller.
    AWAITING_INPUT = "awaiting_input"
    #: It is unknown whether the upstream accepted it. It is searched for, and never sent again on a
    #: guess.
    IN_DOUBT = "in_doubt"
    #: Ended with at least one asset or text.
    SUCCEEDED = "succeeded"
    #: Ended without a result; `error` says why. If its task is done and only the file was missing,
    #: the job may still become `succeeded`, as recovered.
    FAILED = "failed"
    #: Ended because the caller asked for it.
    CANCELED = "canceled"
    #: The deadline passed. A late success may still make it `succeeded`, as recovered.
    EXPIRED = "expired"


S = JobState

#: All permitted moves.
MOVES: Mapping[JobState, frozenset[JobState]] = {
    S.QUEUED: frozenset({S.SUBMITTING, S.FAILED, S.CANCELED, S.EXPIRED}),
    S.SUBMITTING: frozenset(
        {S.QUEUED, S.RUNNING, S.AWAITING_INPUT, S.IN_DOUBT, S.SUCCEEDED, S.FAILED, S.CANCELED}
    ),
    S.RUNNING: frozenset({S.AWAITING_INPUT, S.SUCCEEDED, S.FAILED, S.CANCELED, S.EXPIRED}),
    S.AWAITING_INPUT: frozenset({S.RUNNING, S.SUCCEEDED, S.FAILED, S.CANCELED, S.EXPIRED}),
    S.IN_DOUBT: frozenset(
        {S.QUEUED, S.RUNNING, S.AWAITING_INPUT, S.SUCCEEDED, S.FAILED, S.CANCELED, S.EXPIRED}
    ),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset({S.SUCCEEDED}),
    S.CANCELED: frozenset(),
    S.EXPIRED: frozenset({S.SUCCEEDED}),
}

TERMINAL = frozenset({S.SUCCEEDED, S.FAILED, S.CANCELED, S.EXPIRED})


class Billed(StrEnum):
    """Whether the upstream charged for this job, as far as is known."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class DoubtResolution(StrEnum):
    """How a job in doubt ends when a person says that its task was never created."""

    REQUEUE = "requeue"
    FAIL = "fail"


class IllegalMove(ValueError):
    """A move that the state machine does not have: a defect of genq, not of a caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job ended without a result, with a public code and the upstream's message."""

    code: ErrorCode
    message: str
    retryable: bool = False
    upstream_status: int | None = None
    upstream_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a succeeded job."""

    assets: tuple[Asset, ...] = ()
    texts: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """The webhook of a job. Empty `events` means every outcome."""

    url: str
    events: tuple[str, ...] = ()


#: States in which it is open whether the latest submit was accepted.
UNSETTLED = frozenset({S.SUBMITTING, S.IN_DOUBT})


# Without slots, so that `evolve` can copy all fields at once.
@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. Times are UTC."""

    id: str
    #: The owner. The jobs of a tenant are invisible to others.
    tenant: str
    #: The API key that submitted it. Its webhook secret signs the job's deliveries.
    api_key_id: str
    #: The same key if it has limits, and this job counts against them.
    quota_key: str | None = None
    provider: str
    operation: str
    #: The model that the request names; "" if it names none.
    model: str = ""
    #: The caller's request, validated by the operation's model.
    input: Mapping[str, Any]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    webhook: Webhook | None = None
    #: The finished job that this one follows. Both belong to one station and key.
    parent_id: str | None = None
    #: Among jobs of the tenant that wait for the same keys, higher ones are submitted first.
    priority: int = 0
    #: The caller's own name for the job, unique within the tenant.
    client_id: str | None = None
    #: The batch with which it was submitted.
    batch_id: str | None = None

    state: JobState = JobState.QUEUED
    #: Rises with every claim and every save. A save with an older version is dropped.
    version: int = 0
    #: The number of the job's latest event.
    sequence: int = 0
    #: When a worker must process this job again. None if nothing is left to do.
    wake_at: datetime | None = None
    #: When it was last claimed.
    looked_at: datetime | None = None
    #: A queued job is not submitted before this time, because an upstream asked to wait.
    not_before: datetime | None = None
    #: Why it waits, as text for people. Empty if nothing holds it up.
    reason: str = ""

    #: The name of its wait queue: the keys it waits for, such as `relay/main direct/main`. None if
    #: it does not wait for a slot.
    line: str | None = None
    #: Until then it holds a slot of its key, although no task of it is known to run: it was woken
    #: from the wait queue, or it has ended and its task may still run.
    slot_until: datetime | None = None
    #: Keys that refused it since it last waited, such as `relay/main`. Other keys are tried first.
    tried: tuple[str, ...] = ()

    #: Station and key: where it is, was last sent, or will be sent.
    station: str | None = None
    key: str | None = None
    dialect: str | None = None
    #: It may go to no other key any more, because a submit may have arrived there.
    bound: bool = False
    upstream_id: str | None = None
    upstream_details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: The task that an upstream's callback named while the submit was unanswered. It counts only
    #: once the upstream confirms such a task.
    named_id: str | None = None
    #: Submits that were sent, or were about to be sent.
    attempts: int = 0
    #: Submits that were accepted, or may have been and will never be known: the bill.
    purchases: int = 0
    #: Consecutive looks or searches that did not find the task.
    misses: int = 0
    #: Consecutive looks that found it succeeded without a file.
    empty_looks: int = 0
    #: 0 to 100, never falling; None if the upstream does not report it.
    progress: int | None = None
    billed: Billed = Billed.NO
    cancel_requested_at: datetime | None = None
    #: In doubt: a person said that its task was never created. The value is applied after one more
    #: search.
    resolved_as: DoubtResolution | None = None
    #: The input that the caller sent to a job awaiting it, until the upstream has accepted it.
    answer: Mapping[str, Any] | None = None
    #: When that input was last sent upstream.
    answered_at: datetime | None = None

    #: The upstream's reply at the last change of the job, shortened and without secrets.
    last_reply: str = ""
    result: Result | None = None
    error: JobError | None = None

    created_at: datetime
    updated_at: datetime
    #: When the latest submit was claimed.
    submitted_at: datetime | None = None
    #: When the upstream accepted it.
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: From this time on an unfinished job becomes `expired`.
    deadline: datetime
    #: When its content was erased at the caller's request. Cost and times are kept.
    erased_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    @property
    def is_bound(self) -> bool:
        """Whether it belongs to its station and key permanently."""
        return self.bound or self.parent_id is not None

    @property
    def type(self) -> str:
        """`kling.text2video`: the name of its Celery task and of its row in Flower."""
        return f"{self.provider}.{self.operation}"

    def move(self, state: JobState, now: datetime, **changes: Any) -> "Job":
        """Return the job in its next state. Raises `IllegalMove` if `MOVES` does not allow it."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"a {self.state} job cannot become {state}")
        moved = self.evolve(state=state, updated_at=now, **changes)
        return (
            moved.evolve(purchases=self.purchases + 1) if settles_purchase(self, moved) else moved
        )

    def keep(self, now: datetime, **changes: Any) -> "Job":
        """Return the job with changes that leave its state as it is."""
        return self.evolve(updated_at=now, **changes)

    def evolve(self, **changes: Any) -> "Job":
        """Return a copy with these fields changed.

        `dataclasses.replace` passes all fifty fields one by one and takes ten times as long.
        """
        copy = object.__new__(Job)
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(changes)
        if len(copy.__dict__) > len(self.__dict__):
            raise TypeError(f"a job has no {', '.join(changes.keys() - self.__dict__.keys())}")
        return copy


def settles_purchase(before: Job, after: Job) -> bool:
    """Return whether this move settles that the latest submit was accepted, or will never be known.

    A submit in doubt is not counted while it may still turn out that it never arrived.
    """
    settled = before.state in UNSETTLED and after.state not in UNSETTLED
    return settled and after.billed is not Billed.NO
