"""`/v1/jobs/{id}/explain`, over real jobs."""

from api.jobs import schemas as documents
from generation.job import Job, JobState
from tests.api.serving import Caller
from tests.unit.jobs import NOON


def sent(job: Job) -> Job:
    return job.move(JobState.SUBMITTING, NOON, station="relay", key="main", attempts=1)


def test_a_job_is_explained_as_far_as_it_has_come(caller_on_both: Caller) -> None:
    job = caller_on_both.order(webhook={"url": "https://hooks.example.com/x"})
    path = f"/v1/jobs/{job['id']}/explain"
    new = documents.Explanation.model_validate_json(caller_on_both.get(path).content)
    assert (new.job, new.type, new.state) == (job["id"], "kling.text2video", "queued")
    assert [move.words for move in new.story] == [
        "It was ordered and stored, and waits to be sent."
    ]
    assert (new.attempts, new.deliveries) == ([], [])
    assert new.next[0].at is not None

    caller_on_both.change(job["id"], sent)
    caller_on_both.change(
        job["id"],
        lambda job: job.move(
            JobState.CANCELED, NOON, reason="enough", finished_at=NOON, wake_at=None
        ),
    )
    told = documents.Explanation.model_validate_json(caller_on_both.get(path).content)
    assert told.summary == "It was canceled at relay (key main): enough."
    (attempt,) = told.attempts
    assert (attempt.station, attempt.key, attempt.led_to) == ("relay", "main", "canceled")
    (delivery,) = told.deliveries
    assert delivery.words == "About to be delivered."
    assert [each.what for each in told.next] == [
        "job.canceled is told to https://hooks.example.com/x."
    ]
