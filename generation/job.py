"""
A job: what a caller ordered, where it stands, and what came of it.

The state machine lives here and nowhere else. A job is immutable; `Job.move` is the only way from
one state to another, and what it refuses the store refuses again in its WHERE clause.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from generation.contract.errors import ErrorCode
from generation.contract.status import Action, Asset


class JobState(StrEnum):
    """Where a job stands with us. What a crash leaves behind is part of each state's meaning."""

    #: Durable and not sent yet. A crash loses nothing: the next tick picks it up.
    QUEUED = "queued"
    #: Claimed, and the request may be leaving at this moment. A crash here leaves the outcome
    #: unknown: whoever finds the claim stale makes it `in_doubt`, never `queued`.
    SUBMITTING = "submitting"
    #: The upstream has it, and `upstream_id` is known. A crash costs one look.
    RUNNING = "running"
    #: The upstream waits for a second message from the caller.
    AWAITING_INPUT = "awaiting_input"
    #: Whether the upstream has it is unknown. It is looked for, and never sent again on a guess.
    IN_DOUBT = "in_doubt"
    #: Ended with at least one asset or text.
    SUCCEEDED = "succeeded"
    #: Ended without a result; `error` says why. One whose task is done and had no file may still
    #: become `succeeded`, as a recovered one.
    FAILED = "failed"
    #: Ended because the caller asked for it.
    CANCELED = "canceled"
    #: The deadline passed. A late success may still make it `succeeded`, as a recovered one.
    EXPIRED = "expired"


S = JobState

#: Every permitted move. What is not here is refused.
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
    """Whether the upstream charged for this job, as far as can be known."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class Then(StrEnum):
    """What becomes of a job in doubt whose task was never created, as a person says."""

    REQUEUE = "requeue"
    FAIL = "fail"


class IllegalMove(ValueError):
    """A move the state machine does not have. A defect of ours, never of a caller's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job ended without a result, in the public vocabulary and the upstream's own words."""

    code: ErrorCode
    message: str
    retryable: bool = False
    upstream_status: int | None = None
    upstream_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a finished job gives its caller."""

    assets: tuple[Asset, ...] = ()
    texts: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where the caller wants to be told, and about what. Empty `events` means every ending."""

    url: str
    events: tuple[str, ...] = ()


#: Where it is still open whether the latest submit was accepted.
UNSETTLED = frozenset({S.SUBMITTING, S.IN_DOUBT})


# Without slots, so that `but` can copy all fields at once.
@dataclass(frozen=True, kw_only=True)
class Job:
    """One order and its fate. Times are UTC."""

    id: str
    #: Whose job it is; nobody else can see it.
    tenant: str
    #: The API key that ordered it, whose webhook secret signs its deliveries.
    api_key_id: str
    #: The same again where that key has limits, and this job counts against them.
    quota_key: str | None = None
    provider: str
    operation: str
    #: The model the request names; "" where it names none.
    model: str = ""
    #: The caller's request, checked against the operation's model.
    input: Mapping[str, Any]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    webhook: Webhook | None = None
    #: The finished job this one follows; both belong to one station and key.
    parent_id: str | None = None
    #: Among the tenant's own jobs that wait for the same keys, higher ones are sent first.
    priority: int = 0
    #: The caller's own name for it, one of a kind in the tenant.
    client_id: str | None = None
    #: The batch it was ordered in.
    batch_id: str | None = None

    state: JobState = JobState.QUEUED
    #: Rises with every claim and every save; a save that names an older one is dropped.
    version: int = 0
    #: Number of the job's latest event.
    sequence: int = 0
    #: When somebody must look at this job again. None once there is nothing left to do.
    wake_at: datetime | None = None
    #: When it was last claimed, for a look or for anything else.
    looked_at: datetime | None = None
    #: A queued job is not sent before this: an upstream asked for patience.
    not_before: datetime | None = None
    #: Why it waits, in words for a person. Empty while nothing holds it up.
    reason: str = ""

    #: The keys it waits for, as `relay/main direct/main`, where none of them has room for it now.
    line: str | None = None
    #: It holds a place at its key until then, although nothing is known to run there for it: it was
    #: called from the line, or it has ended and its task may still run.
    slot_until: datetime | None = None
    #: Keys that have refused it since it last waited, as `relay/main`; others are asked first.
    tried: tuple[str, ...] = ()

    #: Station and key alias: where it is, was last sent, or is to be sent.
    station: str | None = None
    key: str | None = None
    dialect: str | None = None
    #: It may go to no other key any more: a submit may have arrived there.
    bound: bool = False
    upstream_id: str | None = None
    upstream_details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: What an upstream's callback named while the submit was unanswered; nothing is believed of it
    #: until the upstream knows such a task.
    named_id: str | None = None
    #: Submits really sent, or meant to be.
    attempts: int = 0
    #: Submits that were accepted, or may have been once nothing more can be found out: the bill.
    purchases: int = 0
    #: Looks or finds in a row that did not find the task.
    misses: int = 0
    #: Looks in a row that found it succeeded without a file.
    empty_looks: int = 0
    #: 0 to 100, never falling; None where the upstream does not say.
    progress: int | None = None
    billed: Billed = Billed.NO
    cancel_requested_at: datetime | None = None
    #: In doubt: a person has said that its task was never created, and what is to become of it once
    #: the upstream was asked a last time.
    resolved_as: Then | None = None
    #: What the caller sent to a job that awaits input, until the upstream has taken it.
    answer: Mapping[str, Any] | None = None
    #: When that was last sent upstream.
    answered_at: datetime | None = None

    #: What the upstream literally said when the job last changed, cut and without secrets.
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
    #: After this the job is told `expired`.
    deadline: datetime
    #: When its content was erased at the caller's wish; what it cost and when is kept.
    erased_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    @property
    def is_bound(self) -> bool:
        """Whether it belongs to its station and key for good, where its parent or its task is."""
        return self.bound or self.parent_id is not None

    @property
    def type(self) -> str:
        """`kling.text2video`: the name of its Celery task and of its row in Flower."""
        return f"{self.provider}.{self.operation}"

    def move(self, state: JobState, now: datetime, **changes: Any) -> "Job":
        """The job in its next state. Raises `IllegalMove` where `MOVES` has no such arrow."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"a {self.state} job cannot become {state}")
        moved = self.but(state=state, updated_at=now, **changes)
        return moved.but(purchases=self.purchases + 1) if bought(self, moved) else moved

    def keep(self, now: datetime, **changes: Any) -> "Job":
        """The job with news that leaves its state as it is."""
        return self.but(updated_at=now, **changes)

    def but(self, **changes: Any) -> "Job":
        """
        The job but for these fields. As `dataclasses.replace`, which hands over all fifty one by
        one and takes ten times as long.
        """
        copy = object.__new__(Job)
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(changes)
        if len(copy.__dict__) > len(self.__dict__):
            raise TypeError(f"a job has no {', '.join(changes.keys() - self.__dict__.keys())}")
        return copy


def bought(before: Job, after: Job) -> bool:
    """
    Whether this move settles that the latest submit was accepted, or that nobody will find out. A
    submit in doubt is not counted while it may still turn out that it never arrived.
    """
    settled = before.state in UNSETTLED and after.state not in UNSETTLED
    return settled and after.billed is not Billed.NO
