"""Jobs to test with."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from generation.job import TERMINAL, Billed, Job, JobState
from generation.lifecycle import DecisionContext, LifecycleRules
from generation.polling.pace import Pace, UsualDurations
from generation.stations.blocks import SubmitRef

NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
RULES = LifecycleRules(
    retry_base=timedelta(seconds=5),
    retry_limit=timedelta(seconds=300),
    submit_lease=timedelta(seconds=20),
    submit_timeout=timedelta(seconds=75),
)
PACE = Pace(
    UsualDurations(timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)),
    floor=timedelta(seconds=2),
    ceiling=timedelta(seconds=30),
)
_numbers = count(1)


def at(seconds: float = 0, jitter: float = 0.5) -> DecisionContext:
    """The moment `seconds` after noon."""
    return DecisionContext(
        now=NOON + timedelta(seconds=seconds), rules=RULES, pace=PACE, jitter=jitter
    )


def a_submit(job_id: str = "job_1", model: str = "text2video", seconds: float = 0) -> SubmitRef:
    """A submit of a Kling job with this model, sent so many seconds after noon."""
    sent_at = NOON + timedelta(seconds=seconds)
    return SubmitRef(job_id=job_id, provider="kling", subject=f"kling/{model}", at=sent_at)


def a_job(state: JobState = JobState.QUEUED, **changes: Any) -> Job:
    """A Kling job born at noon, in any state, with what jobs of that state have."""
    known: dict[str, Any] = {
        "id": f"job_{next(_numbers):026d}",
        "tenant": "acme",
        "api_key_id": "key_1",
        "provider": "kling",
        "operation": "text2video",
        "input": {"prompt": "a cat"},
        "created_at": NOON,
        "updated_at": NOON,
        "deadline": NOON + timedelta(hours=1),
        "wake_at": NOON,
    }
    if state is not JobState.QUEUED:
        known |= {"station": "sandbox", "key": "main", "dialect": "kling.relay", "attempts": 1}
        known |= {"submitted_at": NOON}
        known |= {"billed": Billed.UNKNOWN}
    if state not in {JobState.QUEUED, JobState.SUBMITTING, JobState.IN_DOUBT}:
        known |= {"upstream_id": "up_1", "started_at": NOON}
    if state in TERMINAL:
        known["finished_at"] = NOON
    known["state"] = state
    known.update(changes)
    return Job(**known)
