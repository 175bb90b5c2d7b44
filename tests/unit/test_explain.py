"""Jobs explained: every state's words, what comes next, and the data beside them."""

from datetime import timedelta
from typing import Any

import pytest

from api.jobs.schemas import Explanation
from generation.contract.errors import ErrorCode
from generation.events import event_of
from generation.explain import (
    AttemptSummary,
    DeliverySummary,
    JobHistory,
    RecordedMove,
    explanation_document,
)
from generation.explain.moves import WORDS
from generation.job import MOVES, Billed, DoubtResolution, Job, JobError, JobState
from generation.webhooks.delivery import DeliveryState
from tests.unit.jobs import NOON, a_job

S = JobState
SOON = NOON + timedelta(seconds=30)


def move(number: int, event: str, state: JobState, **changes: Any) -> RecordedMove:
    known: dict[str, Any] = {
        "id": f"evt_{number}",
        "sequence": number,
        "type": event,
        "state": state.value,
        "reason": "",
        "station": "relay",
        "key": "main",
        "at": NOON + timedelta(seconds=number),
    }
    return RecordedMove(**(known | changes))


def told(state: DeliveryState, **changes: Any) -> DeliverySummary:
    known: dict[str, Any] = {
        "id": "dlv_1",
        "event_id": "evt_1",
        "event_type": "job.succeeded",
        "url": "https://hooks.example.com/x",
        "state": state,
        "attempts": 0,
        "last_status": None,
        "last_error": "",
        "wake_at": None,
        "created_at": NOON,
        "finished_at": None,
    }
    return DeliverySummary(**(known | changes))


def explained(
    job: Job, *moves: RecordedMove, deliveries: tuple[DeliverySummary, ...] = ()
) -> dict[str, Any]:
    document = explanation_document(JobHistory(job, moves, deliveries), NOON)
    Explanation.model_validate(document)
    return document


def failed(state: JobState, **changes: Any) -> Job:
    error = JobError(code=ErrorCode.MODERATED, message="not that")
    return a_job(state, error=error, wake_at=None, finished_at=NOON, **changes)


#: The job; then what is said of it, of its bill, and of what comes next.
STANDINGS: list[tuple[Job, str, str, list[str]]] = [
    (
        a_job(),
        "It waits to be sent.",
        "Nothing has been bought so far.",
        ["A worker sends it: any moment, or else then."],
    ),
    (
        a_job(not_before=SOON, reason="rate_limited: slowly"),
        "It waits to be sent: rate_limited: slowly.",
        "Nothing has been bought so far.",
        ["It is sent again, not before then."],
    ),
    (
        a_job(line="relay/main direct/main", reason="no key has room"),
        "It waits to be sent: no key has room.",
        "Nothing has been bought so far.",
        ["It is sent as soon as one of these keys has room: relay/main direct/main."],
    ),
    (
        a_job(S.SUBMITTING),
        "It is being sent at sandbox (key main).",
        "It may have been bought: nobody can say before the upstream has answered.",
        ["The upstream's answer comes; a worker silent until then leaves it in doubt."],
    ),
    (
        a_job(S.RUNNING, progress=40, billed=Billed.YES),
        "It runs upstream at sandbox (key main), 40 % done.",
        "The upstream accepted it, so it is on your bill there.",
        ["The upstream is asked how far it is."],
    ),
    (
        a_job(S.RUNNING, cancel_requested_at=NOON, billed=Billed.YES),
        "It runs upstream at sandbox (key main), and is being canceled.",
        "The upstream accepted it, so it is on your bill there.",
        ["A worker sees to the cancel that was asked for."],
    ),
    (
        a_job(S.AWAITING_INPUT, id="job_x", reason="wants a prompt", billed=Billed.YES),
        "It waits for your input at sandbox (key main): wants a prompt.",
        "The upstream accepted it, so it is on your bill there.",
        [
            "The upstream waits for you: POST /v1/jobs/job_x/input.",
            "The upstream is asked how far it is.",
        ],
    ),
    (
        a_job(S.IN_DOUBT, reason="the answer was lost"),
        "It may be upstream, which nobody knows yet, at sandbox (key main): the answer was lost.",
        "It may have been bought: nobody can say before the upstream has answered.",
        ["What became of its submit is looked into again."],
    ),
    (
        a_job(S.IN_DOUBT, wake_at=NOON + timedelta(hours=1)),
        "It may be upstream, which nobody knows yet, at sandbox (key main).",
        "It may have been bought: nobody can say before the upstream has answered.",
        ["Its upstream cannot be searched: a call, a person or its deadline ends it."],
    ),
    (
        a_job(S.IN_DOUBT, deadline=SOON, wake_at=SOON, reason="the answer was lost"),
        "It may be upstream, which nobody knows yet, at sandbox (key main): the answer was lost.",
        "It may have been bought: nobody can say before the upstream has answered.",
        ["What became of its submit is looked into again."],
    ),
    (
        a_job(S.IN_DOUBT, resolved_as=DoubtResolution.REQUEUE, reason="a person has looked"),
        "It may be upstream, which nobody knows yet, at sandbox (key main): a person has looked.",
        "It may have been bought: nobody can say before the upstream has answered.",
        ["The upstream is asked once more; then it is done as a person has said."],
    ),
    (
        a_job(S.SUCCEEDED, wake_at=None, billed=Billed.YES, finished_at=NOON),
        "It succeeded at sandbox (key main).",
        "The upstream accepted it, so it is on your bill there.",
        [],
    ),
    (
        failed(S.FAILED, billed=Billed.NO),
        "It failed: moderated: not that.",
        "Nothing was bought.",
        [],
    ),
    (
        failed(S.FAILED, billed=Billed.YES).evolve(wake_at=SOON),
        "It failed: moderated: not that.",
        "The upstream accepted it, so it is on your bill there.",
        ["The upstream is asked once more, in case its file comes late."],
    ),
    (
        failed(S.CANCELED),
        "It was canceled: moderated: not that.",
        "It may have been bought: your bill at the station says so, genq cannot.",
        [],
    ),
    (
        a_job(S.EXPIRED, wake_at=SOON, finished_at=NOON),
        "It expired at sandbox (key main).",
        "It may have been bought: your bill at the station says so, genq cannot.",
        ["The upstream is asked once more, in case it succeeds late."],
    ),
]


@pytest.mark.parametrize(("job", "summary", "bill", "steps"), STANDINGS)
def test_where_a_job_stands_and_what_comes_next(
    job: Job, summary: str, bill: str, steps: list[str]
) -> None:
    document = explained(job)
    assert document["summary"] == summary
    assert document["billed"] == {"billed": job.billed.value, "words": bill}
    ends = ["Unless it has ended by then, it is given up as expired."]
    assert [each["what"] for each in document["next"]] == steps + ([] if job.is_terminal else ends)


def test_every_state_has_been_tried() -> None:
    assert {job.state for job, *_ in STANDINGS} == set(JobState)


def test_what_comes_next_is_in_the_order_of_time() -> None:
    job = a_job(S.RUNNING, wake_at=SOON)
    summary = told(DeliveryState.QUEUED, wake_at=NOON + timedelta(seconds=5), attempts=2)
    document = explained(job, deliveries=(summary,))
    assert [(each["at"], each["what"].split()[0]) for each in document["next"]] == [
        ("2026-01-31T12:00:05.000Z", "job.succeeded"),
        ("2026-01-31T12:00:30.000Z", "The"),
        ("2026-01-31T13:00:00.000Z", "Unless"),
    ]
    assert document["next"][0]["what"].endswith("hooks.example.com/x, attempt 3.")


def test_a_story_with_two_attempts() -> None:
    document = explained(
        a_job(S.RUNNING, billed=Billed.YES),
        move(1, "job.queued", S.QUEUED, station=None, key=None),
        move(2, "job.submitting", S.SUBMITTING),
        move(3, "job.requeued", S.QUEUED, reason="rate_limited: slowly"),
        move(4, "job.submitting", S.SUBMITTING, station="direct"),
        move(5, "job.started", S.RUNNING, station="direct"),
    )
    assert [each["words"] for each in document["story"]] == [
        "It was ordered and stored, and waits to be sent.",
        "Attempt 1: a worker took it and sent it to relay with the key main.",
        "It was surely not taken, and waits to be sent again: rate_limited: slowly.",
        "Attempt 2: a worker took it and sent it to direct with the key main.",
        "The upstream took it and works on it.",
    ]
    assert [each["attempt"] for each in document["story"]] == [None, 1, 1, 2, 2]
    first, second = document["attempts"]
    assert (first["led_to"], first["reason"]) == ("queued", "rate_limited: slowly")
    assert (second["station"], second["led_to"], second["reason"]) == ("direct", "running", None)
    assert document["story"][0]["at"] == "2026-01-31T12:00:01.000Z"


def test_every_event_of_a_job_has_words_of_its_own() -> None:
    for before, arrows in MOVES.items():
        for after in arrows:
            job = a_job(before)
            event = event_of(job, a_job(after, id=job.id))
            assert event is not None
            assert event.type in WORDS, event.type
    assert "job.queued" in WORDS


def test_an_event_of_a_later_version_is_told_all_the_same() -> None:
    document = explained(a_job(), move(1, "job.blessed", S.QUEUED, reason="so be it!"))
    assert document["story"][0]["words"] == "job.blessed happened: so be it!"


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        (told(DeliveryState.QUEUED, wake_at=NOON), "About to be delivered."),
        (
            told(DeliveryState.QUEUED, wake_at=NOON, attempts=1, last_error="answered 500"),
            "Not delivered in 1 attempt, and tried again: answered 500.",
        ),
        (told(DeliveryState.DELIVERED, attempts=2), "Delivered in 2 attempts."),
        (
            told(DeliveryState.FAILED, attempts=11, last_error="timeout"),
            "Given up after 11 attempts: timeout.",
        ),
        (told(DeliveryState.CANCELED, attempts=1), "Withdrawn after 1 attempt."),
    ],
)
def test_deliveries_in_words(summary: DeliverySummary, words: str) -> None:
    (delivery,) = explained(a_job(), deliveries=(summary,))["deliveries"]
    assert delivery["words"] == words
    assert bool(delivery["next_attempt_at"]) == (summary.state is DeliveryState.QUEUED)


def test_each_try_is_told() -> None:
    tries = (AttemptSummary(number=1, at=NOON, status=500, detail="answered 500"),)
    summary = told(DeliveryState.QUEUED, wake_at=NOON, attempts=1, attempt_log=tries)
    (delivery,) = explained(a_job(), deliveries=(summary,))["deliveries"]
    assert delivery["tries"] == [
        {"number": 1, "at": "2026-01-31T12:00:00.000Z", "status": 500, "detail": "answered 500"}
    ]
