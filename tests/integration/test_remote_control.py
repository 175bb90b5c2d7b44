"""
Celery's remote control, which everybody has who reaches the broker.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest

from generation.queue import SUBMITS, celery_app
from generation.settings import Settings
from tests.deployment.deployment import Deployment, Program
from tests.deployment.fixtures import Deploy
from tests.services.waiting import wait_for

SOON = timedelta(seconds=30)


@pytest.fixture
def genq(deploy: Deploy, sqlite_url: str, redis_url: str) -> Deployment:
    genq = deploy(sqlite_url, redis_url)
    genq.start_api()
    return genq


@pytest.fixture
def control(redis_url: str) -> Iterator[Any]:
    app = cast(Any, celery_app(Settings(redis_url=redis_url)))
    yield app.control
    app.close()


@pytest.mark.parametrize("terminate", [False, True])
def test_a_revoked_job_is_sent_all_the_same(
    genq: Deployment, control: Any, terminate: bool
) -> None:
    """Its row says nothing of a cancellation, so it must not wait for ever."""
    worker = receiving(genq.start_worker())
    on_the_wire = genq.submit("kling.text2video", "slow [slow=20]")
    genq.until(on_the_wire, "submitting")
    control.revoke(on_the_wire, terminate=terminate)
    waiting = genq.submit("kling.text2video", "later")
    control.revoke(waiting, terminate=terminate)
    for job_id in (on_the_wire, waiting):
        genq.until(job_id, "succeeded")
        assert genq.sandbox.paid(job_id) == 1
    assert worker.process.poll() is None


def test_a_revoked_job_in_the_queue_is_sent(genq: Deployment, control: Any) -> None:
    receiving(genq.start_worker())
    job_id = genq.submit("kling.text2video", "refused at first [throttle=3]")
    wait_for(lambda: genq.job(job_id)["attempts"], SOON, "the first attempt")
    control.revoke(job_id)
    genq.until(job_id, "succeeded")
    assert "revoke_ignored" in genq.programs[-1].output()


def test_submits_that_were_switched_off_are_told(genq: Deployment, control: Any) -> None:
    worker = receiving(genq.start_worker())
    wait_for(lambda: workers_check(genq)["ok"], SOON, "the worker to report")
    control.cancel_consumer(SUBMITS)
    wait_for(lambda: "submits" in workers_check(genq)["detail"], SOON, "readiness to tell it")
    assert "switched_off_by_remote_control" in worker.output()
    ready = genq.request("GET", "/readyz")
    assert (ready.status_code, ready.json()["degraded"]) == (200, ["workers"])
    control.add_consumer(SUBMITS)
    wait_for(lambda: workers_check(genq)["ok"], SOON, "readiness to tell that it is on")
    genq.until(genq.submit("kling.text2video", "on again"), "succeeded")


def test_limits_by_remote_control_hold_nothing_back(genq: Deployment, control: Any) -> None:
    worker = receiving(genq.start_worker())
    control.rate_limit("kling.text2video", "1/h", reply=True, timeout=5)
    control.time_limit("kling.text2video", soft=0.01, hard=0.02, reply=True, timeout=5)
    for prompt in ("first [slow=5]", "second", "third"):
        genq.until(genq.submit("kling.text2video", prompt), "succeeded")
    control.shutdown()
    wait_for(lambda: worker.process.poll() is not None, SOON, "the worker to end")
    assert worker.process.returncode == 0
    assert "Got shutdown from remote" in worker.output()


def receiving(worker: Program) -> Program:
    wait_for(lambda: " ready." in worker.output(), SOON, "the worker to receive messages")
    return worker


def workers_check(genq: Deployment) -> dict[str, Any]:
    return genq.request("GET", "/readyz").json()["checks"]["workers"]
