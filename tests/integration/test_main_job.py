"""
The main job through every real part: a caller posts, workers buy, the caller is told.
"""

from datetime import datetime, timedelta

import httpx
import pytest

from tests.deployment.deployment import Deployment
from tests.deployment.fixtures import Deploy
from tests.services.waiting import wait_for

ENDINGS = ("succeeded", "failed", "canceled", "expired")


@pytest.fixture(params=["sqlite", "postgresql"])
def on_each_store(request: pytest.FixtureRequest) -> Deployment:
    """A running deployment, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return request.getfixturevalue("genq")
    deploy: Deploy = request.getfixturevalue("deploy")
    names = ("postgres_url", "redis_url")
    deployment = deploy(*(request.getfixturevalue(name) for name in names))
    deployment.start_api()
    deployment.start_worker()
    return deployment


def test_from_submit_to_verified_webhook(on_each_store: Deployment) -> None:
    genq = on_each_store
    jobs = {
        name: genq.submit(name, "a lighthouse at dusk")
        for name in ("midjourney.imagine", "kling.text2video")
    }
    for name, medium in (("midjourney.imagine", "image"), ("kling.text2video", "video")):
        job = genq.until(jobs[name], *ENDINGS)
        assert job["state"] == "succeeded", job["error"]
        assert (job["progress"], job["billed"], job["attempts"]) == (100, "yes", 1)
        assets = [asset for asset in job["assets"] if asset["type"] == medium]
        assert assets, job
        served = httpx.get(assets[0]["url"], trust_env=False)
        assert served.status_code == 200
        assert served.headers["content-type"].startswith(f"{medium}/")
        payload = genq.told(jobs[name])
        assert payload["type"] == "job.succeeded"
        assert payload["data"]["assets"] == job["assets"]
        assert genq.sandbox.paid(jobs[name]) == 1
    delivered = [r.id for job_id in jobs.values() for r in genq.receiver.about(job_id)]
    assert len(delivered) == len(set(delivered)) == 2, "each ending is told once"


def test_what_was_ordered_before_a_worker_came(
    deploy: Deploy, sqlite_url: str, redis_url: str
) -> None:
    """One is canceled on the spot, and many tasks of a vendor are looked at in its list."""
    genq = deploy(sqlite_url, redis_url)
    stations = genq.folder / "stations.toml"
    stations.write_text(stations.read_text().replace("kling.relay", "kling.v1"))
    genq.start_api()
    jobs = [genq.submit("kling.text2video", f"boat {number}") for number in range(6)]
    canceled = genq.submit("kling.text2video", "never mind")
    answer = genq.request("POST", f"/v1/jobs/{canceled}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
    genq.start_worker()
    assert genq.told(canceled)["type"] == "job.canceled"
    for job_id in jobs:
        assert genq.until(job_id, *ENDINGS)["state"] == "succeeded"
        assert genq.sandbox.paid(job_id) == 1
    assert genq.sandbox.stats()["list_looks"] > 0
    assert genq.sandbox.paid(canceled) == 0


def test_a_moderated_prompt_fails_without_a_second_try(genq: Deployment) -> None:
    for name in ("midjourney.imagine", "kling.text2video"):
        job_id = genq.submit(name, "something forbidden [moderated]")
        job = genq.until(job_id, *ENDINGS)
        assert (job["state"], job["error"]["code"]) == ("failed", "moderated")
        assert (job["attempts"], job["billed"], job["error"]["retryable"]) == (1, "no", False)
        assert genq.told(job_id)["type"] == "job.failed"
        assert genq.sandbox.paid(job_id) == 0


def test_moderation_after_acceptance_is_told_too(genq: Deployment) -> None:
    job_id = genq.submit("kling.text2video", "borderline [moderated-late]")
    job = genq.until(job_id, *ENDINGS)
    assert (job["state"], job["error"]["code"]) == ("failed", "moderated")
    assert genq.told(job_id)["data"]["error"]["message"] == job["error"]["message"]


@pytest.mark.parametrize("knob", ["[queue-full=2]", "[throttle=2]"])
@pytest.mark.parametrize("name", ["midjourney.imagine", "kling.text2video"])
def test_a_crowded_station_is_waited_for(genq: Deployment, name: str, knob: str) -> None:
    job_id = genq.submit(name, f"a crowd {knob}")
    job = genq.until(job_id, *ENDINGS)
    assert (job["state"], job["attempts"]) == ("succeeded", 3), job["error"]
    assert genq.sandbox.paid(job_id) == 1


def test_looks_that_fail_do_not_fail_the_job(genq: Deployment) -> None:
    prompts = ["[look-errors=3]", "[look-garbage=2]", "[look-throttle=1]", "[unknown-status]"]
    jobs = [genq.submit("kling.text2video", f"patience {knob}") for knob in prompts]
    for job_id in jobs:
        assert genq.until(job_id, *ENDINGS)["state"] == "succeeded"


def test_an_upstream_failure_keeps_the_upstreams_words(genq: Deployment) -> None:
    job_id = genq.submit("midjourney.imagine", "a bad day [fail=GPU melted]")
    job = genq.until(job_id, *ENDINGS)
    assert (job["state"], job["error"]["code"]) == ("failed", "upstream_failed")
    assert "GPU melted" in job["error"]["message"]


def test_a_webhook_that_answers_500_twice_is_told_a_third_time(genq: Deployment) -> None:
    # Others of these tests may still be owed theirs.
    genq.receiver.answers, genq.receiver.answering = [500, 500], "?persistent"
    hook = {"url": f"{genq.receiver.url}?persistent"}
    job_id = genq.submit("midjourney.imagine", "persistence", webhook=hook)
    genq.until(job_id, "succeeded")
    told = wait_for(
        lambda: [r for r in genq.receiver.about(job_id) if r.answered == 200],
        patience_of(10),
        "the third attempt",
    )
    attempts = genq.receiver.about(job_id)
    assert [r.answered for r in attempts] == [500, 500, 200]
    assert len({r.id for r in attempts}) == 1, "one event, one id, however often it is told"
    assert len({r.body for r in attempts}) == 1, "and the same bytes"
    assert told[0].verify(genq.webhook_secret)["type"] == "job.succeeded"
    assert [r.headers["webhook-attempt"] for r in attempts] == ["1", "2", "3"]


def test_events_come_as_asked_for_and_in_order(genq: Deployment) -> None:
    events = ["job.queued", "job.started", "job.succeeded"]
    hook = {"url": genq.receiver.url, "events": events}
    job_id = genq.submit("midjourney.imagine", "every step", webhook=hook)
    wait_for(lambda: len(genq.receiver.about(job_id)) == 3, patience_of(20), "three events")
    payloads = [r.payload for r in genq.receiver.about(job_id)]
    by_sequence = sorted(payloads, key=lambda payload: payload["sequence"])
    assert [payload["type"] for payload in by_sequence] == events
    times = [datetime.fromisoformat(payload["timestamp"]) for payload in by_sequence]
    assert times == sorted(times)


def test_a_running_job_is_let_go(genq: Deployment) -> None:
    job_id = genq.submit("kling.text2video", "too slow [stuck]")
    genq.until(job_id, "running")
    answer = genq.request("POST", f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["canceling"]) == (202, True)
    job = genq.until(job_id, *ENDINGS)
    assert (job["state"], job["billed"]) == ("canceled", "yes")
    assert genq.told(job_id)["type"] == "job.canceled"


def test_a_deadline_ends_a_job_that_nobody_ends(genq: Deployment) -> None:
    job_id = genq.submit("midjourney.imagine", "forever [stuck]", deadline="3s")
    job = genq.until(job_id, *ENDINGS)
    assert (job["state"], job["error"]["code"]) == ("expired", "expired")
    assert genq.told(job_id)["type"] == "job.expired"


def patience_of(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
