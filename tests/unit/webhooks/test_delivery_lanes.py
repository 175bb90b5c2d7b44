"""Concurrency and rate limits of one receiver."""

from dataclasses import replace

from generation.store import ClaimedDelivery
from generation.webhooks.delivery import Delivery
from tests.unit.jobs import NOON
from tests.unit.webhooks.endpoints import an_endpoint
from worker.webhooks.receiver_limits import WAITING, ReceiverLimit

PLENTY = 1000
CLAIMED = ClaimedDelivery(
    Delivery(
        id="dlv_1",
        event_id="evt_1",
        event_type="job.succeeded",
        job_id="job_1",
        tenant="acme",
        url="https://hooks.example.com/",
        lane="hooks.example.com:443",
        body=b"{}",
        created_at=NOON,
    ),
    ("whsec_",),
)


def a_lane(taken: int = 0) -> ReceiverLimit:
    lane = ReceiverLimit("hooks.example.com:443")
    for _ in range(taken):
        lane.take(CLAIMED)
    return lane


def test_ten_are_sent_and_some_wait() -> None:
    lane = a_lane()
    assert lane.free_slots(PLENTY) == 10 * (1 + WAITING)
    lane = a_lane(taken=12)
    sent = [lane.next(PLENTY) for _ in range(12)]
    assert sent.count(None) == 2
    assert (lane.running, len(lane.waiting)) == (10, 2)
    assert lane.free_slots(PLENTY) == 10 * (1 + WAITING) - 12


def test_a_receiver_in_trouble_holds_one() -> None:
    lane = a_lane(taken=3)
    lane.is_failing = True
    assert lane.free_slots(PLENTY) == 0
    assert lane.next(PLENTY) is CLAIMED
    assert lane.next(PLENTY) is None
    assert not lane.is_idle


def test_lanes_narrow_as_a_process_fills() -> None:
    lane = a_lane()
    assert [lane.width(free) for free in (1000, 80, 40, 8, 0)] == [10, 10, 5, 1, 1]


def test_an_endpoints_owner_sets_its_caps() -> None:
    lane = a_lane(taken=9)
    lane.apply_endpoint(an_endpoint(concurrency=2))
    assert [lane.next(PLENTY) is None for _ in range(3)] == [False, False, True]
    lane.apply_endpoint(an_endpoint(ordered=True))
    assert (lane.width(PLENTY), lane.free_slots(PLENTY)) == (1, 0)
    lane.apply_endpoint(None)
    assert lane.ordered, "the webhook of a job has no owner to ask"


def test_a_rate_spaces_requests_and_limits_what_waits() -> None:
    lane = a_lane(taken=5)
    lane.apply_endpoint(an_endpoint(rate=0.5))
    assert lane.next(PLENTY) is CLAIMED
    assert lane.next(PLENTY) is None
    assert 1.5 < lane.pause() <= 2
    lane.apply_endpoint(replace(an_endpoint(rate=0.5), rate=None))
    assert lane.next(PLENTY) is CLAIMED


def test_what_waits_too_long_is_given_up() -> None:
    lane = a_lane(taken=2)
    assert lane.overdue() == []
    lane.waiting = type(lane.waiting)((came - 60, each) for came, each in lane.waiting)
    assert lane.overdue() == [CLAIMED, CLAIMED]
    assert lane.is_idle
