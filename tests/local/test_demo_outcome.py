"""Outcomes that the demonstration reports as problems."""

from dataclasses import replace
from typing import Any

import pytest

from ops.local.demo_jobs import DEMO_JOBS
from ops.local.demo_outcome import DemoOutcome, FileCheck

BOUGHT, REFUSED = DEMO_JOBS[0], DEMO_JOBS[-1]
FILE = FileCheck(url="http://127.0.0.1:1/a.png", kind="image")
JOB = {
    "id": "job_1",
    "state": "succeeded",
    "created_at": "2026-01-31T12:00:00.000Z",
    "finished_at": "2026-01-31T12:00:02.500Z",
}
GOOD = DemoOutcome(demo_job=BOUGHT, job=JOB, files=[FILE], webhook_event="job.succeeded", paid=1)
MEANT = DemoOutcome(
    demo_job=REFUSED, job=JOB | {"state": "failed"}, webhook_event="job.failed", paid=0
)


def job(**changes: Any) -> dict[str, Any]:
    return JOB | changes


def test_expected_outcomes_have_no_problems() -> None:
    assert list(GOOD.problems()) == []
    assert list(MEANT.problems()) == []
    assert GOOD.seconds == 2.5


@pytest.mark.parametrize(
    ("outcome", "complaint"),
    [
        (
            replace(
                GOOD, job=job(state="failed", error={"message": "no"}), webhook_event="job.failed"
            ),
            "is failed and should have succeeded: no",
        ),
        (
            replace(
                GOOD, job=job(state="queued", reason="busy", finished_at=None), webhook_event=None
            ),
            "is queued and should have succeeded: busy",
        ),
        (
            replace(MEANT, job=job(), webhook_event="job.succeeded"),
            "is succeeded and should have failed",
        ),
        (replace(GOOD, webhook_event=None), "no webhook with a valid signature arrived"),
        (replace(GOOD, webhook_event="job.failed"), "its webhook says job.failed"),
        (replace(GOOD, paid=2), "was paid 2 times and should have been 1 times"),
        (replace(GOOD, paid=0), "was paid 0 times and should have been 1 times"),
        (replace(MEANT, paid=1), "was paid 1 times and should have been 0 times"),
        (replace(GOOD, files=[]), "has no file"),
        (replace(GOOD, files=[replace(FILE, fault="HTTP 404")]), "cannot be fetched: HTTP 404"),
    ],
)
def test_each_deviation_is_reported(outcome: DemoOutcome, complaint: str) -> None:
    assert any(complaint in problem for problem in outcome.problems())
