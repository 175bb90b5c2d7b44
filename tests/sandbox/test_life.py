"""The life of an upstream task, computed: no server, no clock."""

import math
from collections.abc import Mapping
from itertools import pairwise

import pytest

from ops.sandbox.account_slots import AccountSlots
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.tasks import (
    JITTER,
    Phase,
    ProviderProfile,
    SandboxTask,
    TaskSubmission,
    View,
    next_change,
    seconds_of,
    view,
)


def _told(_task: SandboxTask, _seen: View) -> Mapping[str, object]:
    return {}


PROFILE = ProviderProfile(
    provider="someone",
    typical_seconds={"draw": 100.0},
    queues=True,
    unique_references=False,
    asset_life_seconds=3600.0,
    callback_body=_told,
)


def submission(prompt: str = "", task_id: str = "1") -> TaskSubmission:
    return TaskSubmission(
        profile=PROFILE,
        task_id=task_id,
        operation="draw",
        account="key",
        prompt=prompt,
        knobs=parse_knobs(prompt),
        reference="",
        base_url="",
        callback_url="",
        details={},
    )


def task(prompt: str = "", seconds: float = 100.0, task_id: str = "1") -> SandboxTask:
    return SandboxTask(submission(prompt, task_id), created_at=0.0, seconds=seconds)


def started(prompt: str = "", seconds: float = 100.0) -> SandboxTask:
    begun = task(prompt, seconds)
    begun.start(0.0)
    return begun


@pytest.mark.parametrize(
    ("now", "phase", "progress"),
    [
        (0.0, Phase.QUEUED, 0),
        (3.0, Phase.SUBMITTED, 0),
        (6.0, Phase.RUNNING, 0),
        (50.0, Phase.RUNNING, 46),
        (99.9, Phase.RUNNING, 93),
        (100.0, Phase.SUCCEEDED, 100),
        (1e9, Phase.SUCCEEDED, 100),
    ],
)
def test_a_task_goes_from_queued_to_its_end(now: float, phase: Phase, progress: int) -> None:
    seen = view(started(), now)
    assert (seen.phase, seen.progress) == (phase, progress)


@pytest.mark.parametrize(
    ("prompt", "end"),
    [
        ("[fail]", Phase.FAILED),
        ("[moderated-late]", Phase.MODERATED),
        ("[no-url]", Phase.SUCCEEDED),
    ],
)
def test_knobs_decide_how_it_ends(prompt: str, end: Phase) -> None:
    assert view(started(prompt), 99).phase is Phase.RUNNING
    assert view(started(prompt), 101).phase is end


@pytest.mark.parametrize("seconds", [100.0, 0.0])
def test_a_stuck_task_runs_for_ever_unless_somebody_ends_it(seconds: float) -> None:
    stuck = started("[stuck]", seconds)
    assert view(stuck, 1e12).phase is Phase.RUNNING
    assert next_change(stuck, 1e12) == math.inf
    stuck.end(1e12)
    assert view(stuck, 1e12).phase is Phase.SUCCEEDED


def test_an_unknown_status_fills_the_middle_third() -> None:
    odd = started("[unknown-status]")
    seen = [view(odd, now).phase for now in (30, 34, 66, 67)]
    assert seen == [Phase.RUNNING, Phase.UNKNOWN, Phase.UNKNOWN, Phase.RUNNING]


def test_every_change_is_announced() -> None:
    odd, now, turns = started("[unknown-status]"), 0.0, [0.0]
    while math.isfinite(now := next_change(odd, now)):
        turns.append(now)
    for before, after in pairwise(turns):
        assert view(odd, before + 0.01) == view(odd, after - 0.01)
    assert view(odd, turns[-1]).finished_at == 100.0


def test_a_task_without_duration_is_done_at_once() -> None:
    assert view(started(seconds=0), 0).phase is Phase.SUCCEEDED


def test_durations_are_typical_within_a_quarter_and_always_the_same_for_an_id() -> None:
    durations = [seconds_of(submission(task_id=str(number)), {}) for number in range(500)]
    assert 100 * (1 - JITTER) <= min(durations) < 80
    assert 120 < max(durations) <= 100 * (1 + JITTER)
    assert durations == [seconds_of(submission(task_id=str(number)), {}) for number in range(500)]


def test_a_setting_and_a_knob_override_the_typical_duration() -> None:
    assert seconds_of(submission(), {"someone.draw": 0.0}) == 0
    assert seconds_of(submission("[seconds=7]"), {"someone.draw": 50.0}) == 7


def test_places_pass_on_at_the_moment_they_become_free() -> None:
    lane = AccountSlots()
    first, second, third = (task(seconds=10, task_id=str(number)) for number in range(3))
    places = [lane.place(each, 0.0, slots=1, queue=1) for each in (first, second, third)]
    assert places == [0, 1, None]
    lane.settle(now=100.0, slots=1)  # nobody has looked for a long time
    assert (second.starts_at, second.ends_at) == (10.0, 20.0)


def test_a_place_left_early_is_free_at_once() -> None:
    lane = AccountSlots()
    first, second = task("[stuck]", task_id="1"), task(task_id="2")
    lane.place(first, 0.0, slots=1, queue=1)
    lane.place(second, 0.0, slots=1, queue=1)
    lane.leave(first)
    lane.settle(now=5.0, slots=1)
    assert second.starts_at == 5.0


def test_one_who_waits_can_leave_too() -> None:
    lane = AccountSlots()
    first, second = task(seconds=10, task_id="1"), task(task_id="2")
    lane.place(first, 0.0, slots=1, queue=1)
    lane.place(second, 0.0, slots=1, queue=1)
    lane.leave(second)
    lane.settle(now=20.0, slots=1)
    assert second.starts_at is None
