"""A person says that a task was never created, and the upstream is asked once more."""

import pytest

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    Rejected,
    Throttled,
    Unreachable,
    UnrecognizedReply,
)
from generation.job import Billed, DoubtResolution, Job, JobState
from generation.lifecycle import after_find
from generation.lifecycle.manual_resolution import carry_out, not_created
from tests.unit.jobs import NOON, a_job, at


def said(then: DoubtResolution) -> Job:
    return not_created(a_job(JobState.IN_DOUBT, misses=7), then, at(5).now)


def spoken(fault: Fault) -> Fault:
    fault.words = "HTTP 200"
    return fault


@pytest.mark.parametrize("then", list(DoubtResolution))
def test_what_a_person_says_waits_for_one_more_search(then: DoubtResolution) -> None:
    job = said(then)
    assert (job.state, job.resolved_as, job.misses) == (JobState.IN_DOUBT, then, 0)
    assert job.wake_at == at(5).now, "which comes at once"
    assert "the upstream is asked once more" in job.reason


def test_what_is_found_counts() -> None:
    job = after_find(said(DoubtResolution.REQUEUE), "up_7", at(6))
    assert (job.state, job.upstream_id, job.reason) == (JobState.RUNNING, "up_7", "")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Rejected("no such task", code=ErrorCode.NOT_FOUND),
        spoken(InDoubt("the list is short")),
        spoken(UnrecognizedReply("<html>", upstream_status=404)),
    ],
)
def test_what_is_not_found_is_as_the_person_says(answer: Fault | None) -> None:
    again = carry_out(said(DoubtResolution.REQUEUE), answer, at(6))
    assert (again.state, again.billed, again.wake_at) == (JobState.QUEUED, Billed.NO, at(6).now)
    failed = carry_out(said(DoubtResolution.FAIL), answer, at(6))
    assert (failed.state, failed.billed) == (JobState.FAILED, Billed.NO)
    assert failed.error is not None
    assert (failed.error.code, failed.error.retryable) == (ErrorCode.IN_DOUBT, True)


@pytest.mark.parametrize(
    "fault",
    [
        Unreachable("down"),
        Throttled("slowly"),
        AccountBlocked("401"),
        InDoubt("no answer"),
        spoken(InDoubt("a gateway", upstream_status=502)),
    ],
)
def test_an_upstream_that_does_not_answer_is_asked_three_times(fault: Fault) -> None:
    job = said(DoubtResolution.REQUEUE)
    for _ in range(2):
        job = carry_out(job, fault, at(6))
        assert job.state is JobState.IN_DOUBT
        assert job.wake_at is not None
        assert NOON < job.wake_at <= job.deadline
    assert carry_out(job, fault, at(60)).state is JobState.QUEUED
