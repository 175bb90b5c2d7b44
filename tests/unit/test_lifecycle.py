"""What becomes of a job: decisions as tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
    QueueFull,
    Rejected,
    Scope,
    Throttled,
    Unreachable,
    UnrecognizedReply,
)
from generation.contract.pauses import LONGEST_SUBMIT_PAUSE
from generation.contract.status import (
    Accepted,
    Action,
    Asset,
    AssetType,
    AwaitingInput,
    Failed,
    Running,
    Succeeded,
)
from generation.job import TERMINAL, Billed, DoubtResolution, Job, JobState
from generation.lifecycle import (
    AFTERLIFE,
    FIND_CEILING,
    GRACE,
    MISSES_TO_LOSE,
    DecisionContext,
    after_cancel,
    after_find,
    after_input,
    after_look,
    after_submit,
    begin_input,
    begin_submit,
    call,
    canceled,
    cannot_be_searched,
    claimed_until,
    doubt,
    enter_wait_queue,
    expired,
    reaches_back,
    request_cancel,
    requeue_after_doubt,
    retry_later,
    search_proved_nothing,
)
from generation.lifecycle.manual_resolution import carry_out, not_created
from generation.stations.station import OnDoubt
from tests.unit.jobs import NOON, RULES, a_job, at

VIDEO = Succeeded(assets=(Asset(type=AssetType.VIDEO, url="https://cdn.test/v.mp4"),))
S = JobState


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_a_submit_is_claimed_before_it_leaves() -> None:
    job = begin_submit(a_job(), at(3), station="relay", key="main", dialect="kling.relay")
    assert job.state is S.SUBMITTING
    assert (job.station, job.key, job.dialect) == ("relay", "main", "kling.relay")
    assert job.attempts == 1
    assert job.billed is Billed.UNKNOWN
    assert job.wake_at == NOON + seconds(3 + 20), "the lease"


@pytest.mark.parametrize(
    ("answer", "state", "billed", "code"),
    [
        (Accepted("up_1"), S.RUNNING, Billed.YES, None),
        (VIDEO, S.SUCCEEDED, Billed.YES, None),
        (Failed("no"), S.FAILED, Billed.UNKNOWN, ErrorCode.UPSTREAM_FAILED),
        (AwaitingInput("up_1"), S.AWAITING_INPUT, Billed.UNKNOWN, None),
        (NotAccepted("down"), S.QUEUED, Billed.NO, None),
        (Unreachable("refused"), S.QUEUED, Billed.NO, None),
        (Throttled("too fast"), S.QUEUED, Billed.NO, None),
        (QueueFull("full"), S.QUEUED, Billed.NO, None),
        (AccountBlocked("key"), S.QUEUED, Billed.NO, None),
        (Rejected("bad"), S.FAILED, Billed.NO, ErrorCode.INVALID_REQUEST),
        (Rejected("no", code=ErrorCode.MODERATED), S.FAILED, Billed.NO, ErrorCode.MODERATED),
        (InDoubt("lost"), S.IN_DOUBT, Billed.UNKNOWN, None),
        (UnrecognizedReply("<html>"), S.IN_DOUBT, Billed.UNKNOWN, None),
        (Fault("anything else"), S.IN_DOUBT, Billed.UNKNOWN, None),
        (Running(), S.IN_DOUBT, Billed.UNKNOWN, None),
    ],
)
def test_after_a_submit(answer: Any, state: JobState, billed: Billed, code: ErrorCode | None):
    job = after_submit(a_job(S.SUBMITTING), answer, at(1))
    assert job.state is state
    assert job.billed is billed
    assert (job.error.code if job.error else None) is code
    assert (job.wake_at is None) == (state in TERMINAL), "whoever is not done is woken again"


def test_only_what_surely_was_not_accepted_is_sent_again() -> None:
    """
    The promise in one line: from `submitting`, back to `queued` leads only a fault that says no.
    """
    faults = [NotAccepted, Unreachable, Throttled, QueueFull, AccountBlocked]
    faults += [Rejected, InDoubt, UnrecognizedReply, Fault]
    again = {f for f in faults if after_submit(a_job(S.SUBMITTING), f("x"), at()).state is S.QUEUED}
    assert again == {f for f in faults if f.accepted == "no" and f.retryable}


def test_a_late_answer_still_finds_a_job_in_doubt() -> None:
    job = after_submit(a_job(S.IN_DOUBT), Accepted("up_9"), at(50))
    assert (job.state, job.upstream_id) == (S.RUNNING, "up_9")


def test_patience_is_as_long_as_the_upstream_asks() -> None:
    fault = QueueFull("come back later", retry_after=seconds(17))
    job = after_submit(a_job(S.SUBMITTING), fault, at(1))
    assert job.not_before == job.wake_at == NOON + seconds(18)
    assert job.reason == "queue_full: come back later"


@pytest.mark.parametrize(
    "fault",
    [
        Throttled("slow down", retry_after=seconds(7)),
        AccountBlocked("forbidden", scope=Scope.MODEL, retry_after=seconds(7)),
        NotAccepted("the relay's account is empty", scope=Scope.MODEL, retry_after=seconds(7)),
    ],
)
def test_what_may_be_wrong_with_the_job_alone_is_waited_for_by_itself(fault: Fault) -> None:
    job = after_submit(a_job(S.SUBMITTING), fault, at(1))
    assert (job.state, job.not_before) == (S.QUEUED, NOON + seconds(8))
    absurd = Throttled("slow down", retry_after=timedelta(days=1))
    far = a_job(S.SUBMITTING, deadline=NOON + timedelta(days=9))
    assert after_submit(far, absurd, at(0)).not_before == NOON + LONGEST_SUBMIT_PAUSE


@pytest.mark.parametrize("fault", [AccountBlocked("no money")])
def test_what_is_wrong_with_the_key_is_waited_for_in_its_line(fault: Fault) -> None:
    job = after_submit(a_job(S.SUBMITTING), fault, at(1))
    assert (job.not_before, job.wake_at) == (None, NOON + seconds(1))
    waiting = enter_wait_queue(job, "sandbox/main", "key main was called too fast", at(2))
    assert (waiting.state, waiting.line) == (S.QUEUED, "sandbox/main")
    assert waiting.wake_at == job.deadline, "whoever waits in line costs nothing"
    assert enter_wait_queue(waiting, "sandbox/main", waiting.reason, at(3)) is waiting


def test_a_job_refused_for_sure_goes_to_another_key_at_once() -> None:
    job = after_submit(a_job(S.SUBMITTING), Unreachable("refused"), at(1), elsewhere=True)
    assert (job.state, job.wake_at, job.not_before) == (S.QUEUED, NOON + seconds(1), None)
    assert job.tried == ("sandbox/main",)
    assert (job.station, job.key) == (None, None), "it is bound to nothing"
    last = after_submit(replace(job, state=S.SUBMITTING), Unreachable("refused"), at(2))
    assert last.tried == (), "and when nobody is left, it begins anew, later"
    assert last.not_before is not None


def test_a_job_that_was_refused_everywhere_waits_before_it_begins_anew() -> None:
    refused = a_job(attempts=2, tried=("one/a",), reason="queue_full: full")
    waiting = retry_later(refused, "queue_full: full; key a was called too fast", at(1))
    assert (waiting.tried, waiting.line) == ((), None)
    assert waiting.not_before == waiting.wake_at == NOON + seconds(11)


def test_an_expired_job_whose_task_fails_is_looked_at_no_longer() -> None:
    late = expired(a_job(S.RUNNING), at(5))
    settled = after_look(late, Failed("no"), at(9))
    assert (settled.state, settled.wake_at, settled.slot_until) == (S.EXPIRED, None, None)
    assert after_look(late, Running(), at(9)) is late


def test_what_one_station_does_not_sell_another_one_may() -> None:
    fault = Rejected("no such model here", code=ErrorCode.UNSUPPORTED)
    assert after_submit(a_job(S.SUBMITTING), fault, at(1), elsewhere=True).state is S.QUEUED
    assert after_submit(a_job(S.SUBMITTING), fault, at(1)).state is S.FAILED
    bad = Rejected("the prompt is too long")
    assert after_submit(a_job(S.SUBMITTING), bad, at(1), elsewhere=True).state is S.FAILED


def test_a_follow_up_stays_with_its_parents_key() -> None:
    job = a_job(S.SUBMITTING, parent_id="job_1")
    again = after_submit(job, Unreachable("refused"), at(1))
    assert (again.station, again.key) == ("sandbox", "main")


def test_once_in_doubt_a_job_stays_with_its_key_for_good() -> None:
    job = doubt(a_job(S.SUBMITTING), "no answer", at(1))
    again = requeue_after_doubt(job, "it never arrived", at(200).now)
    assert again.is_bound
    assert (again.state, again.station, again.billed) == (S.QUEUED, "sandbox", Billed.NO)
    refused = after_submit(replace(again, state=S.SUBMITTING), QueueFull("full"), at(201))
    assert (refused.is_bound, refused.key) == (True, "main")


def test_a_called_job_keeps_its_place_for_a_while() -> None:
    waiting = enter_wait_queue(a_job(), "relay/main", "waiting", at())
    called = call(waiting, at(5), station="relay", key="main", again=seconds(10))
    assert (called.line, called.slot_until) == (None, NOON + seconds(65))
    assert called.wake_at == NOON + seconds(15), "a message that is lost is made up for"
    sent = begin_submit(called, at(6), station="relay", key="main", dialect="kling.relay")
    assert (sent.slot_until, sent.line) == (None, None)


def test_an_ended_job_leaves_its_line_and_its_place() -> None:
    waiting = enter_wait_queue(a_job(), "relay/main", "waiting", at())
    assert request_cancel(waiting, NOON).line is None
    called = call(waiting, at(5), station="relay", key="main", again=seconds(10))
    assert request_cancel(called, NOON).slot_until is None


def test_what_may_still_run_upstream_holds_its_place_for_a_time() -> None:
    early = expired(a_job(S.RUNNING), at(5))
    assert early.slot_until == NOON + seconds(120), "until nearly all of its kind are done"
    assert expired(a_job(S.RUNNING), at(120)).slot_until is None, "what hangs keeps nobody out"
    assert expired(a_job(S.QUEUED), at(5)).slot_until is None
    detached = after_cancel(a_job(S.RUNNING), None, at(5))
    assert detached.slot_until == NOON + seconds(120), "until nearly all of its kind are done"
    assert after_cancel(a_job(S.RUNNING), True, at(5)).slot_until is None


def test_a_doubt_nobody_can_clear_ends_as_the_station_says() -> None:
    job = a_job(S.IN_DOUBT, reason="unknown whether the upstream took it: no answer")
    held = cannot_be_searched(job, at(5), OnDoubt.HOLD)
    assert (held.state, held.wake_at) == (S.IN_DOUBT, job.deadline)
    late = cannot_be_searched(job, at(7200), OnDoubt.HOLD)
    assert late.wake_at == at(7260).now, "by a clock that may be wrong: not again and again"
    given_up = settled(job, OnDoubt.FAIL)
    assert (given_up.state, given_up.billed) == (S.FAILED, Billed.UNKNOWN)
    assert given_up.error is not None
    assert given_up.error.code is ErrorCode.IN_DOUBT
    again = settled(job, OnDoubt.RESUBMIT)
    assert (again.state, again.billed, again.purchases) == (S.QUEUED, Billed.UNKNOWN, 1)


def settled(job: Job, on_doubt: OnDoubt, step: float = 0) -> Job:
    """
    A job in doubt at a station that settles doubts so, told at each waking, until it is. In its
    second wait the clock is set `step` seconds forward, which wakes it at once.
    """
    really, shown, wakings = 5.0, 5.0, 0
    while job.state is S.IN_DOUBT:
        job = cannot_be_searched(job, at(shown), on_doubt)
        if job.wake_at is None:
            break
        wait = (job.wake_at - NOON).total_seconds() - shown
        wakings += 1
        shown += max(wait, step if wakings == 2 else 0)
        really += 0 if step and wakings == 2 else wait
    assert really >= 75 + 60, "the lost submit may still be arriving"
    return job


def test_a_clock_set_forward_settles_no_doubt_too_early() -> None:
    assert settled(a_job(S.IN_DOUBT), OnDoubt.RESUBMIT, step=3600).state is S.QUEUED
    assert settled(a_job(S.IN_DOUBT), OnDoubt.FAIL, step=3600).state is S.FAILED


def test_a_clock_set_forward_leaves_deadlines_and_late_looks_alone() -> None:
    ahead = replace(at(2 * 86400), certain_now=at(60).now)
    assert not ahead.is_past(a_job().deadline)
    late = a_job(S.EXPIRED, finished_at=NOON)
    assert claimed_until(late, at(2 * 86400)) is None
    again = claimed_until(late, ahead)
    assert again is not None
    assert seconds(0) < again - ahead.now <= timedelta(hours=2), "a late success may still come"
    refused = after_submit(a_job(S.SUBMITTING), Unreachable("refused"), ahead)
    assert refused.wake_at is not None
    assert refused.wake_at > ahead.now, "its deadline may have passed; it is not sent at once"


@pytest.mark.parametrize(
    ("on_doubt", "ended"), [(OnDoubt.FAIL, S.FAILED), (OnDoubt.RESUBMIT, S.QUEUED)]
)
def test_a_list_that_proves_nothing_is_searched_for_as_long_as_one_that_does(
    on_doubt: OnDoubt, ended: JobState
) -> None:
    silence = InDoubt("the list does not reach back")
    job, proven = a_job(S.IN_DOUBT), a_job(S.IN_DOUBT)
    moment = at()
    while (after := search_proved_nothing(job, silence, moment, on_doubt)).state is S.IN_DOUBT:
        proven = after_find(proven, None, moment)
        assert (after.misses, after.wake_at) == (proven.misses, proven.wake_at)
        assert after.wake_at is not None
        job, moment = after, replace(moment, now=after.wake_at)
    assert (after.state, after.billed) == (ended, Billed.UNKNOWN)
    assert after_find(proven, None, moment).state is S.QUEUED, "not a moment sooner"


def test_a_list_that_proves_nothing_is_searched_until_the_deadline_unless_told_otherwise() -> None:
    job = search_proved_nothing(a_job(S.IN_DOUBT, misses=50), InDoubt("no"), at(1000), OnDoubt.HOLD)
    assert (job.state, job.misses) == (S.IN_DOUBT, 50)
    assert job.wake_at is not None
    assert job.wake_at > at(1000).now


@pytest.mark.parametrize(
    ("moves", "purchases"),
    [
        ([Accepted("up_1")], 1),
        ([VIDEO], 1),
        ([AwaitingInput("up_1")], 1),
        ([Failed("no")], 1),
        ([Rejected("bad")], 0),
        ([QueueFull("full")], 0),
        ([InDoubt("lost")], 0),
        ([InDoubt("lost"), Accepted("up_1")], 1),
    ],
)
def test_the_bill_counts_what_was_bought_once_that_is_settled(moves: list[Any], purchases: int):
    job = a_job(S.SUBMITTING)
    for answer in moves:
        job = after_submit(job, answer, at(1))
    assert job.purchases == purchases


def test_a_doubt_is_counted_when_nobody_will_clear_it_any_more() -> None:
    job = a_job(S.IN_DOUBT)
    assert expired(job, at(5)).purchases == 1
    assert requeue_after_doubt(job, "it never arrived", at(5).now).purchases == 0
    assert canceled(job, NOON, Billed.UNKNOWN, "canceled while in doubt").purchases == 1


def test_a_second_purchase_is_not_hidden_by_a_refusal() -> None:
    job = settled(a_job(S.IN_DOUBT), OnDoubt.RESUBMIT)
    refused = after_submit(replace(job, state=S.SUBMITTING), Rejected("bad"), at(80))
    assert (refused.state, refused.billed) == (S.FAILED, Billed.UNKNOWN)


def test_patience_doubles_up_to_its_limit() -> None:
    waits: list[float] = []
    for attempts in range(1, 10):
        job = after_submit(a_job(S.SUBMITTING, attempts=attempts), QueueFull("full"), at())
        assert job.wake_at is not None
        waits.append((job.wake_at - NOON).total_seconds())
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_no_wait_reaches_beyond_the_deadline() -> None:
    tight = a_job(S.SUBMITTING, deadline=NOON + seconds(3))
    job = after_submit(tight, QueueFull("full"), at(1))
    assert job.wake_at == tight.deadline


def test_a_wish_to_cancel_stops_a_job_that_was_not_accepted() -> None:
    job = a_job(S.SUBMITTING, cancel_requested_at=NOON)
    assert after_submit(job, QueueFull("full"), at()).state is S.CANCELED
    accepted = after_submit(job, Accepted("up_1"), at())
    assert (accepted.state, accepted.wake_at) == (S.RUNNING, NOON), "seen to at once"


def test_doubt_is_looked_into_at_once() -> None:
    job = doubt(a_job(S.SUBMITTING), "its worker stopped", at(30))
    assert (job.state, job.wake_at) == (S.IN_DOUBT, NOON + seconds(30))
    assert "its worker stopped" in job.reason


def test_found_is_running() -> None:
    job = after_find(a_job(S.IN_DOUBT), "up_7", at(30))
    assert (job.state, job.upstream_id, job.billed) == (S.RUNNING, "up_7", Billed.YES)


def test_not_there_is_believed_late_and_often() -> None:
    job = a_job(S.IN_DOUBT)
    moment = at()
    while (after := after_find(job, None, moment)).state is S.IN_DOUBT:
        assert after.misses == job.misses + 1
        assert after.wake_at is not None
        assert after.wake_at - moment.now <= FIND_CEILING
        job, moment = after, replace(moment, now=after.wake_at)
    assert after.state is S.QUEUED
    assert RULES.submit_timeout + GRACE < moment.now - NOON < timedelta(minutes=4)
    assert job.misses + 1 >= MISSES_TO_LOSE


@pytest.mark.parametrize("stepped", range(12))
def test_no_clock_that_is_set_forward_buys_a_second_time(stepped: int) -> None:
    """An hour's step ends one wait at once, whichever it is: the others must suffice."""
    job, really = a_job(S.IN_DOUBT), timedelta(0)
    moment = at(jitter=0)
    while (after := after_find(job, None, moment)).state is S.IN_DOUBT:
        assert after.wake_at is not None
        wait = after.wake_at - moment.now
        cut = after.misses == stepped + 1
        really += timedelta(0) if cut else wait
        now = moment.now + (timedelta(hours=1) if cut else wait)
        job, moment = after, replace(moment, now=now)
    assert really >= RULES.submit_timeout + GRACE


def test_a_search_that_failed_proves_nothing() -> None:
    job = a_job(S.IN_DOUBT, misses=2)
    after = after_find(job, Unreachable("down"), at(1000))
    assert (after.state, after.misses) == (S.IN_DOUBT, 2)
    assert after.wake_at is not None
    assert after.wake_at > at(1000).now


def test_what_cannot_be_searched_waits_for_its_deadline() -> None:
    job = a_job(S.IN_DOUBT)
    assert cannot_be_searched(job, at(9)).wake_at == job.deadline


@pytest.mark.parametrize(
    "fault",
    [
        Unreachable("down"),
        Throttled("429"),
        InDoubt("timeout"),
        UnrecognizedReply("<html>"),
        AccountBlocked("401"),
        Rejected("bad request"),
        QueueFull("full"),
    ],
)
@pytest.mark.parametrize("state", [S.RUNNING, S.AWAITING_INPUT, S.EXPIRED])
def test_a_failed_look_never_fails_a_paid_job(fault: Fault, state: JobState) -> None:
    job = a_job(state)
    assert after_look(job, fault, at(500)) is job


def test_a_look_that_learned_nothing_changes_nothing() -> None:
    job = a_job(S.RUNNING, progress=40)
    for progress in (40, 30, None):
        assert after_look(job, Running(progress=progress), at(5)) is job
    assert after_look(job, Running(unknown_word="BAKING"), at(5)) is job


def test_progress_only_rises() -> None:
    assert after_look(a_job(S.RUNNING), Running(progress=10), at()).progress == 10
    assert after_look(a_job(S.RUNNING, progress=40), Running(progress=70), at()).progress == 70


def test_success_keeps_everything_the_upstream_gave() -> None:
    answer = Succeeded(
        assets=VIDEO.assets,
        texts=("a caption",),
        actions=(Action("U1", "MJ::JOB::upsample::1"),),
        details={"seed": "42"},
    )
    job = after_look(a_job(S.RUNNING), answer, at(60))
    assert job.state is S.SUCCEEDED
    assert job.progress == 100
    assert job.finished_at == NOON + seconds(60)
    assert job.result is not None
    assert (job.result.assets, job.result.texts) == (VIDEO.assets, ("a caption",))
    assert (job.result.actions, job.result.details) == (answer.actions, {"seed": "42"})


def test_failure_keeps_the_upstreams_words() -> None:
    job = after_look(a_job(S.RUNNING), Failed("GPU on fire", retryable=True), at(60))
    assert job.state is S.FAILED
    assert job.error is not None
    assert (job.error.message, job.error.retryable) == ("GPU on fire", True)


def missing(age: float, missing_for: float) -> DecisionContext:
    """That time, for a process that has found the task missing for so many seconds."""
    return replace(at(age), missing_for=seconds(missing_for))


def test_unknown_tasks_are_given_a_grace_and_three_looks() -> None:
    unknown = Rejected("no such task", code=ErrorCode.NOT_FOUND)
    young = job = a_job(S.RUNNING)
    for age in (5, 10, 20, 40, 59):
        assert after_look(job, unknown, at(age)) is young, "a station may be slow to know it"
    for age in (61, 65, 66, 67):
        job = after_look(job, unknown, missing(age, 55))
        assert job.state is S.RUNNING, "not yet for a minute by a clock that is never set"
    assert job.misses == 3
    job = replace(job, misses=0)
    for age in (61, 65):
        job = after_look(job, unknown, missing(age, 61))
        assert job.state is S.RUNNING
    for nothing in (InDoubt("no answer"), Throttled("too fast"), UnrecognizedReply("<html>")):
        assert after_look(job, nothing, at(66)) is job, "no word of the task, either way"
    job = after_look(job, unknown, missing(70, 65))
    assert job.state is S.FAILED
    assert job.error is not None
    assert job.error.code is ErrorCode.NOT_FOUND


def test_what_there_is_so_far_is_the_result_after_the_grace() -> None:
    stream = Succeeded((Asset(type=AssetType.AUDIO, url="https://pipe.test/1", role="stream"),))
    almost = Running(99, so_far=stream)
    job = after_look(a_job(S.RUNNING), almost, missing(70, 59))
    assert (job.state, job.progress) == (S.RUNNING, 99)
    ended = after_look(job, almost, missing(71, 60))
    assert ended.state is S.SUCCEEDED
    assert ended.result is not None
    assert ended.result.assets == stream.assets
    late = after_look(a_job(S.EXPIRED), almost, missing(71, 60))
    assert late.state is S.SUCCEEDED, "an expired job is recovered by it too"


def test_a_task_that_turns_up_again_is_forgiven() -> None:
    job = after_look(a_job(S.RUNNING, misses=2), Running(), at(200))
    assert job.misses == 0
    unknown = Rejected("no such task", code=ErrorCode.NOT_FOUND)
    for age in (210, 220):
        job = after_look(job, unknown, at(age))
    assert (job.state, job.misses) == (S.RUNNING, 2), "in a row, not in all"


def test_success_without_an_asset_is_not_success() -> None:
    empty = UnrecognizedReply("SUCCESS and no URL", code=ErrorCode.ASSET_MISSING)
    job = a_job(S.RUNNING)
    for missing_for in (0, 1, 2, 30, 59):
        job = after_look(job, empty, missing(100, missing_for))
        assert job.state is S.RUNNING, "a file often follows within a minute"
    assert after_look(job, empty, missing(100, 59)) is job, "and nothing is written meanwhile"
    job = after_look(job, empty, missing(100, 60))
    assert (job.state, job.billed) == (S.FAILED, Billed.YES)
    assert job.error is not None
    assert job.error.code is ErrorCode.ASSET_MISSING


def test_a_minute_without_a_file_is_three_looks_at_least() -> None:
    empty = UnrecognizedReply("SUCCESS and no URL", code=ErrorCode.ASSET_MISSING)
    job = a_job(S.RUNNING)
    for _ in range(2):
        job = after_look(job, empty, missing(100, 300))
        assert job.state is S.RUNNING
    assert after_look(job, empty, missing(100, 300)).state is S.FAILED


def test_a_file_that_comes_after_all_is_not_lost() -> None:
    empty = UnrecognizedReply("SUCCESS and no URL", code=ErrorCode.ASSET_MISSING)
    failed = after_look(a_job(S.RUNNING, empty_looks=3), empty, missing(100, 60))
    assert failed.wake_at is not None
    assert timedelta(minutes=3) < failed.wake_at - at(100).now < timedelta(minutes=7)
    again = claimed_until(failed, at(400))
    assert again is not None
    assert timedelta(minutes=3) < again - at(400).now, "rarely, as an expired one"
    assert claimed_until(failed, at(100 + AFTERLIFE.total_seconds() + 1)) is None, "for a day"
    assert after_look(failed, empty, missing(500, 400)) is failed
    assert after_look(failed, Failed("no"), at(500)).wake_at is None
    recovered = after_look(failed, VIDEO, at(500))
    assert (recovered.state, recovered.error, recovered.wake_at) == (S.SUCCEEDED, None, None)


def test_only_what_lacked_its_file_is_looked_at_after_it_failed() -> None:
    job = after_look(a_job(S.RUNNING), Failed("GPU on fire"), at(60))
    assert job.wake_at is None
    assert after_look(job, VIDEO, at(90)) is job, "a look that was on the wire"


def test_what_is_not_found_and_what_is_empty_are_counted_apart() -> None:
    unknown = Rejected("no such task", code=ErrorCode.NOT_FOUND)
    empty = UnrecognizedReply("SUCCESS and no URL", code=ErrorCode.ASSET_MISSING)
    job = a_job(S.RUNNING)
    for answer in (empty, empty, unknown, unknown, empty, empty, unknown, unknown):
        job = after_look(job, answer, missing(100, 90))
        assert job.state is S.RUNNING, "never three of a kind in a row"
    job = after_look(job, unknown, missing(100, 90))
    assert job.error is not None
    assert job.error.code is ErrorCode.NOT_FOUND


def test_modal_and_back() -> None:
    waiting = after_look(a_job(S.RUNNING), AwaitingInput(message="mask, please"), at(10))
    assert (waiting.state, waiting.reason) == (S.AWAITING_INPUT, "mask, please")
    assert after_look(waiting, AwaitingInput(), at(20)) is waiting
    assert after_look(waiting, Running(progress=5), at(30)).state is S.RUNNING


def test_expired_jobs_are_looked_at_for_a_day_and_may_recover() -> None:
    job = expired(a_job(S.RUNNING), at(3600))
    assert (job.state, job.error.code if job.error else None) == (S.EXPIRED, ErrorCode.EXPIRED)
    assert job.wake_at is not None
    next_wake = claimed_until(job, at(3600 + 600))
    assert next_wake is not None
    assert seconds(200) < next_wake - at(4200).now < seconds(3700)
    assert claimed_until(job, at(3600 + AFTERLIFE.total_seconds() + 1)) is None
    assert after_look(job, Failed("too late"), at(9000)).state is S.EXPIRED
    recovered = after_look(job, VIDEO, at(9000))
    assert (recovered.state, recovered.error) == (S.SUCCEEDED, None)


def test_an_expired_job_that_never_left_is_left_alone() -> None:
    job = expired(a_job(), at(3600))
    assert job.wake_at is None
    assert job.error is not None
    assert job.error.retryable, "nothing was paid, so it may be ordered again"


@pytest.mark.parametrize(
    ("state", "after", "wakes"),
    [
        (S.QUEUED, S.CANCELED, False),
        (S.SUBMITTING, S.SUBMITTING, True),
        (S.RUNNING, S.RUNNING, True),
        (S.AWAITING_INPUT, S.AWAITING_INPUT, True),
        (S.IN_DOUBT, S.IN_DOUBT, True),
    ],
)
def test_a_wish_to_cancel(state: JobState, after: JobState, wakes: bool) -> None:
    job = request_cancel(a_job(state), at(7).now)
    assert job.state is after
    assert (job.wake_at is not None) == wakes
    assert (job.cancel_requested_at is not None) == wakes
    assert request_cancel(job, at(8).now) is job if wakes else True


@pytest.mark.parametrize(
    ("stopped", "billed"),
    [(True, Billed.UNKNOWN), (False, Billed.YES), (None, Billed.YES), (InDoubt("?"), Billed.YES)],
)
def test_a_cancel_upstream(stopped: Any, billed: Billed) -> None:
    job = after_cancel(a_job(S.RUNNING), stopped, at())
    assert (job.state, job.billed) == (S.CANCELED, billed)


def test_a_cancel_that_could_not_be_asked_is_tried_three_times() -> None:
    job = a_job(S.RUNNING)
    for _ in range(2):
        job = after_cancel(job, Unreachable("down"), at())
        assert job.state is S.RUNNING
    assert after_cancel(job, Unreachable("down"), at()).state is S.CANCELED


@pytest.mark.parametrize("state", [S.SUBMITTING, S.IN_DOUBT, S.RUNNING, S.AWAITING_INPUT])
def test_every_claim_ends(state: JobState) -> None:
    job: Job = a_job(state)
    until = claimed_until(job, at(5))
    assert until is not None
    assert at(5).now < until <= at(5).now + seconds(40)


#: Whatever keeps a job that lives waiting, at a moment.
WAITS: list[tuple[str, Callable[[Job, DecisionContext], Job]]] = [
    ("a search that failed", lambda job, at: after_find(job, Unreachable("down"), at)),
    ("absurd patience", lambda job, at: after_find(job, Throttled("429", retry_after=DAY), at)),
    ("not found", lambda job, at: after_find(job, None, at)),
    (
        "an unproven list",
        lambda job, at: search_proved_nothing(job, InDoubt("short"), at, OnDoubt.HOLD),
    ),
    ("to be sent again", lambda job, at: cannot_be_searched(job, at, OnDoubt.RESUBMIT)),
    ("to fail", lambda job, at: cannot_be_searched(job, at, OnDoubt.FAIL)),
    ("to be held", lambda job, at: cannot_be_searched(job, at, OnDoubt.HOLD)),
    ("a claim", lambda job, at: job.evolve(wake_at=claimed_until(job, at))),
    ("a person's word", lambda job, at: carry_out(requeued(job), Unreachable("down"), at)),
]
INPUT_WAITS: list[tuple[str, Callable[[Job, DecisionContext], Job]]] = [
    ("its sending", begin_input),
    ("absurd patience", lambda job, at: after_input(job, QueueFull("", retry_after=DAY), at)),
    ("taken", lambda job, at: after_input(job, Running(), at)),
    ("a refused cancel", lambda job, at: after_cancel(job, Unreachable("down"), at)),
    ("a claim", lambda job, at: job.evolve(wake_at=claimed_until(job, at))),
]
DAY = timedelta(days=1)


def requeued(job: Job) -> Job:
    return not_created(job, DoubtResolution.REQUEUE, NOON)


@pytest.mark.parametrize(
    ("state", "wait"),
    [
        *((S.IN_DOUBT, wait) for _, wait in WAITS),
        *((S.AWAITING_INPUT, wait) for _, wait in INPUT_WAITS),
    ],
)
@pytest.mark.parametrize("left", [0.5, 3.0, 45.0])
def test_nobody_sleeps_past_a_deadline(
    state: JobState, wait: Callable[[Job, DecisionContext], Job], left: float
) -> None:
    job = a_job(state, deadline=at(100 + left).now)
    slept = wait(job, at(100))
    assert slept.wake_at is not None
    assert slept.wake_at <= job.deadline
    late = wait(job, at(200))
    assert late.wake_at is not None
    assert late.wake_at > at(200).now, "by a clock that may be wrong: not again and again"


def test_patience_that_an_upstream_asks_for_has_an_end() -> None:
    job = a_job(S.IN_DOUBT, deadline=NOON + 3 * DAY)
    for asked, waited in ((17, 17), (299, 299), (86_400, 300)):
        after = after_find(job, Throttled("429", retry_after=seconds(asked)), at())
        assert after.wake_at == NOON + seconds(waited)
    waiting = a_job(S.AWAITING_INPUT, deadline=NOON + 3 * DAY)
    assert after_input(waiting, QueueFull("", retry_after=DAY), at()).wake_at == at(300).now


@pytest.mark.parametrize(
    ("accepted", "proven"),
    [([], False), ([-3599], False), ([60], False), ([-3601], True), ([60, -7200], True)],
)
def test_a_list_reaches_back_if_it_shows_an_order_that_was_surely_earlier(
    accepted: list[float], proven: bool
) -> None:
    assert reaches_back(a_job(S.IN_DOUBT), [at(each).now for each in accepted]) is proven
    assert not reaches_back(a_job(S.IN_DOUBT, submitted_at=None), [at(-9999).now])
