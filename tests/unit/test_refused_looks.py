"""Whether refused looks are about one job or about the key."""

from datetime import timedelta

from generation.contract.errors import AccountBlocked, Throttled
from tests.unit.jobs import NOON
from worker.polling.refused_looks import TOGETHER, RefusedLookTracker

LANE = ("relay", "main")
SLOW = Throttled("too fast")
REFUSED = AccountBlocked("invalid token")
SECOND = timedelta(seconds=1)


def test_one_job_refused_again_and_again_is_not_the_key() -> None:
    looks = RefusedLookTracker()
    assert not any(looks.is_about_key(LANE, SLOW, ["job_1"], NOON) for _ in range(10))


def test_a_second_job_refused_for_the_same_reason_is_the_key() -> None:
    looks = RefusedLookTracker()
    assert not looks.is_about_key(LANE, SLOW, ["job_1"], NOON)
    assert not looks.is_about_key(LANE, REFUSED, ["job_2"], NOON), "another reason"
    assert not looks.is_about_key(("relay", "other"), SLOW, ["job_2"], NOON), "another key"
    assert looks.is_about_key(LANE, SLOW, ["job_2"], NOON + TOGETHER)


def test_refusals_far_apart_or_with_an_answer_between_them_are_not() -> None:
    looks = RefusedLookTracker()
    assert not looks.is_about_key(LANE, SLOW, ["job_1"], NOON)
    late = NOON + TOGETHER + SECOND
    assert not looks.is_about_key(LANE, SLOW, ["job_2"], late)
    looks.answered(LANE)
    assert not looks.is_about_key(LANE, SLOW, ["job_1"], late)


def test_one_query_for_many_jobs_is_about_the_key() -> None:
    assert RefusedLookTracker().is_about_key(LANE, SLOW, ["job_1", "job_2"], NOON)
