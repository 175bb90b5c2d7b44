"""The upstream task.

Its state is a pure function of the sandbox time and of its prompt's knobs.

A task stores its start and its end but no progress. Each poll computes the progress, so waiting
tasks cost nothing between polls.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from zlib import crc32

from ops.sandbox.knobs import Knob, Knobs

FAILURE = "the sandbox failed this task because its prompt asked for it"
JITTER = 0.25
SUBMITTED_FROM = 0.02
RUNNING_FROM = 0.05
UNKNOWN_FROM, UNKNOWN_TO = 1 / 3, 2 / 3
PROGRESS = (0, 15, 31, 46, 62, 78, 93)
_STEPS = tuple(percent / 100 for percent in PROGRESS)
_TURNS = tuple(sorted((SUBMITTED_FROM, RUNNING_FROM, UNKNOWN_FROM, UNKNOWN_TO, *_STEPS[1:])))


class Phase(StrEnum):
    """The state of a task. Each protocol has its own words for these."""

    AWAITING_INPUT = "awaiting_input"  #: created, and waits for its caller's second message
    QUEUED = "queued"  #: waits for a place, or is not seen by the generator yet
    SUBMITTED = "submitted"  #: the generator has it and does nothing yet
    RUNNING = "running"
    UNKNOWN = "unknown"  #: runs, and reports an unknown status
    SUCCEEDED = "succeeded"
    FAILED = "failed"  #: because the prompt asked for it
    MODERATED = "moderated"  #: refused by moderation after it was accepted
    CANCELED = "canceled"


class View(NamedTuple):
    """The state that a poll shows.

    Times are sandbox seconds since the epoch; progress is a percentage.
    """

    phase: Phase
    progress: int
    started_at: float | None
    finished_at: float | None


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """The properties that all tasks of one provider share."""

    provider: str
    #: Typical sandbox seconds by operation.
    typical_seconds: Mapping[str, float]
    #: Whether tasks beyond the running slots wait in a queue; else they are refused.
    queues: bool
    #: Whether an account may use a job reference only once, and find its task by it.
    unique_references: bool
    #: Sandbox seconds an asset URL lives after the task's end.
    asset_life_seconds: float
    #: Returns the body of a callback about a task.
    callback_body: Callable[["SandboxTask", View], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class TaskSubmission:
    """One valid submit, in a form that is the same for all protocols."""

    profile: ProviderProfile
    task_id: str
    operation: str
    #: The account that pays: the authenticated key or AccessKey.
    account: str
    prompt: str
    knobs: Knobs
    #: The caller's own id of the job; "" if the protocol carries none.
    reference: str
    #: Root of the asset URLs, without a slash at the end.
    base_url: str
    callback_url: str
    #: Further details of the request that the protocol needs.
    details: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class SandboxTask:
    """A task that exists upstream and was charged."""

    submission: TaskSubmission
    created_at: float
    #: Sandbox seconds from start to end.
    seconds: float
    #: None while it waits for a slot.
    starts_at: float | None = None
    #: None while it waits for a slot; inf if it never ends.
    ends_at: float | None = None
    canceled: bool = False
    #: It waits for the caller's input: it is in no queue and is not charged yet.
    awaits_input: bool = False
    looks: int = 0
    #: How often each counted knob was applied to polls; None: no knob yet.
    spent: dict[Knob, int] | None = None

    @property
    def id(self) -> str:
        return self.submission.task_id

    @property
    def failure(self) -> str:
        """The error text of a task whose prompt asks for a failure."""
        return self.submission.knobs.text(Knob.FAIL, FAILURE)

    @property
    def asset_life_seconds(self) -> float:
        """Sandbox seconds for which its asset URLs are valid after its end."""
        return self.submission.knobs.number(
            Knob.EXPIRES, self.submission.profile.asset_life_seconds
        )

    def start(self, moment: float) -> None:
        """Take a slot at `moment`; the end is computed from it."""
        self.starts_at = moment
        self.ends_at = math.inf if self.submission.knobs.has(Knob.STUCK) else moment + self.seconds

    def end(self, moment: float, *, canceled: bool = False) -> None:
        """End at `moment`, ahead of time: canceled, or with the outcome its knobs ask for."""
        self.starts_at = moment if self.starts_at is None else self.starts_at
        self.ends_at = moment
        self.awaits_input = False
        self.canceled = canceled

    def has_ended(self, now: float) -> bool:
        """Whether the task will not change any more."""
        return self.ends_at is not None and self.ends_at <= now

    def spend(self, knob: Knob) -> bool:
        """Whether a counted knob still applies to this poll; if so, it is counted."""
        if not self.submission.knobs:
            return False
        self.spent = {} if self.spent is None else self.spent
        used = self.spent.get(knob, 0)
        if used >= self.submission.knobs.number(knob):
            return False
        self.spent[knob] = used + 1
        return True


def seconds_of(submission: TaskSubmission, durations: Mapping[str, float]) -> float:
    """Sandbox seconds a task takes: from its knob, else the typical duration, ±25 % by its id."""
    if submission.knobs.has(Knob.SECONDS):
        return submission.knobs.number(Knob.SECONDS)
    typical = submission.profile.typical_seconds[submission.operation]
    typical = durations.get(f"{submission.profile.provider}.{submission.operation}", typical)
    luck = crc32(submission.task_id.encode()) / 0xFFFFFFFF
    return typical * (1 + JITTER * (2 * luck - 1))


def view(task: SandboxTask, now: float) -> View:
    """The view of a task at `now`."""
    if task.awaits_input:
        return View(Phase.AWAITING_INPUT, 0, None, None)
    if task.starts_at is None or task.ends_at is None or now < task.starts_at:
        return View(Phase.QUEUED, 0, None, None)
    if now >= task.ends_at:
        return View(_ending(task), 100, task.starts_at, task.ends_at)
    done = (now - task.starts_at) / task.seconds if task.seconds else 1.0
    if done < SUBMITTED_FROM:
        return View(Phase.QUEUED, 0, None, None)
    if done < RUNNING_FROM:
        return View(Phase.SUBMITTED, 0, None, None)
    progress = PROGRESS[bisect_right(_STEPS, done) - 1]
    odd = task.submission.knobs.has(Knob.UNKNOWN_STATUS) and UNKNOWN_FROM <= done < UNKNOWN_TO
    return View(Phase.UNKNOWN if odd else Phase.RUNNING, progress, task.starts_at, None)


def next_change(task: SandboxTask, now: float) -> float:
    """The next sandbox time at which `view` may differ; inf if it never does by itself."""
    if task.starts_at is None or task.ends_at is None or now >= task.ends_at:
        return math.inf
    turns = (task.starts_at + turn * task.seconds for turn in _TURNS)
    return min((turn for turn in turns if turn > now), default=task.ends_at)


def _ending(task: SandboxTask) -> Phase:
    if task.canceled:
        return Phase.CANCELED
    if task.submission.knobs.has(Knob.MODERATED_LATE):
        return Phase.MODERATED
    return Phase.FAILED if task.submission.knobs.has(Knob.FAIL) else Phase.SUCCEEDED
