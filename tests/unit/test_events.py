"""What is told of a change, and in which order the feed has it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from generation.events import event_of, progress_news, type_of
from generation.job import JobState, Webhook
from generation.store.events import in_order
from tests.unit.jobs import NOON, a_job

WATCHED = Webhook(url="https://example.test/hook", events=("job.progress",))


@pytest.mark.parametrize(
    ("webhook", "progress", "after_ms", "told"),
    [
        (WATCHED, 40, 500, "job.progress"),
        (WATCHED, 40, 499, None),
        (WATCHED, 30, 900, None),
        (Webhook(url=WATCHED.url), 40, 900, None),
        (None, 40, 900, None),
    ],
)
def test_progress_is_an_event_where_a_webhook_asks_for_it(
    webhook: Webhook | None, progress: int, after_ms: int, told: str | None
) -> None:
    before = a_job(JobState.RUNNING, webhook=webhook, progress=30)
    after = before.keep(NOON + timedelta(milliseconds=after_ms), progress=progress)
    assert type_of(before, after) == told


def test_an_ending_is_no_progress() -> None:
    before = a_job(JobState.RUNNING, webhook=WATCHED, progress=30)
    after = before.move(JobState.SUCCEEDED, NOON + timedelta(seconds=9), progress=100)
    event = event_of(before, after)
    assert event is not None
    assert event.type == "job.succeeded"


def test_passing_news_have_nothing_to_ask_for_again_by() -> None:
    job = a_job(JobState.RUNNING, progress=30)
    news = json.loads(progress_news(job, "https://genq.test"))
    assert set(news) == {"type", "timestamp", "data"}
    assert (news["type"], news["data"]["progress"]) == ("job.progress", 30)


def test_events_are_ordered_by_creation_and_sequence() -> None:
    assert in_order([("evt_3", "b", 1), ("evt_1", "a", 1), ("evt_2", "a", 2)]) == [
        "evt_1",
        "evt_2",
        "evt_3",
    ]


def test_a_slow_clock_does_not_turn_a_job_round() -> None:
    written = [("evt_5", "a", 1), ("evt_1", "a", 2), ("evt_6", "a", 3), ("evt_3", "b", 1)]
    assert in_order(written) == ["evt_3", "evt_5", "evt_1", "evt_6"]


def test_what_happens_to_no_job_stands_for_itself() -> None:
    assert in_order([("evt_2", None, 0), ("evt_1", None, 0)]) == ["evt_1", "evt_2"]


def test_an_event_without_a_webhook_is_still_written() -> None:
    before = a_job(JobState.RUNNING)
    event = event_of(before, replace(before, state=JobState.FAILED))
    assert event is not None
    assert event.body is not None
