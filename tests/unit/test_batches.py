"""Which looks at many tasks at once are worth sending."""

from datetime import UTC, datetime, timedelta

from generation.contract.errors import NotAccepted, Throttled, UnrecognizedReply
from worker.polling.batch_health import MOST_FAILURES, SINGLY_FOR, BatchHealth

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP, OTHER = ("station", "main", "kling.v1/videos"), ("station", "main", "suno.newapi")


def usable_again(batches: BatchHealth) -> bool:
    """Whether the group is left alone for a while, and for no longer."""
    away = batches.usable(GROUP, NOW + SINGLY_FOR - timedelta(seconds=1))
    assert batches.usable(OTHER, NOW)
    return not away and batches.usable(GROUP, NOW + SINGLY_FOR)


def test_an_answer_in_words_nobody_knows_is_not_asked_for_again_soon() -> None:
    batches = BatchHealth()
    assert batches.failed(GROUP, UnrecognizedReply("a page"), NOW)
    assert usable_again(batches)


def test_trouble_that_passes_is_forgiven_twice() -> None:
    batches = BatchHealth()
    for _ in range(MOST_FAILURES - 1):
        assert not batches.failed(GROUP, NotAccepted("502"), NOW)
    batches.worked(GROUP)
    for _ in range(MOST_FAILURES - 1):
        assert not batches.failed(GROUP, NotAccepted("502"), NOW)
    assert batches.usable(GROUP, NOW)
    assert batches.failed(GROUP, NotAccepted("502"), NOW)
    assert usable_again(batches)


def test_a_key_that_asks_too_fast_says_nothing_of_the_question() -> None:
    batches = BatchHealth()
    for _ in range(MOST_FAILURES + 1):
        assert not batches.failed(GROUP, Throttled("slow down"), NOW)
    assert batches.usable(GROUP, NOW)


def test_an_answer_about_none_of_the_tasks_is_no_help_for_a_while() -> None:
    batches = BatchHealth()
    batches.shows_nothing(GROUP, NOW)
    assert usable_again(batches)
