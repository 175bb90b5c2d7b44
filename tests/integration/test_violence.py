"""
The three promises under violence: nothing lost, nothing paid twice, every outcome told.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

import pytest

from generation.queue import Nudger, submit_message
from generation.settings import Settings
from generation.store import Store
from ops.faults.proxy import Harm, proxied
from ops.stack.broker import BrokerProcess
from tests.deployment.deployment import SHORT_LEASE, Deployment, Program
from tests.deployment.fixtures import Deploy
from tests.services.postgres import Cluster
from tests.services.waiting import wait_for

NAMES = ("midjourney.imagine", "kling.text2video")
QUICKLY = timedelta(seconds=30)


def test_the_broker_may_forget_be_down_and_be_killed(
    deploy: Deploy, sqlite_url: str, private_broker: BrokerProcess
) -> None:
    """One deployment, and everything that can be wrong with its broker in turn."""
    genq = deploy(sqlite_url, private_broker.url)
    genq.start_api()
    worker = a_broker_that_forgets_everything_costs_nothing(genq, private_broker)
    a_job_is_accepted_while_the_broker_is_down(genq, private_broker)
    a_broker_restart_is_survived_by_everybody(genq, private_broker)
    assert worker.process.poll() is None, "the same worker went on"


def a_job_is_accepted_while_the_broker_is_down(
    genq: Deployment, private_broker: BrokerProcess
) -> None:
    private_broker.stop()
    began = monotonic()
    jobs = [genq.submit(name, "against all odds") for name in NAMES]
    assert monotonic() - began < 5, "nobody waits for a broker"
    assert [genq.job(job_id)["state"] for job_id in jobs] == ["queued", "queued"]
    private_broker.start()
    for job_id in jobs:
        genq.until(job_id, "succeeded")
        assert genq.sandbox.paid(job_id) == 1
        assert genq.told(job_id)["type"] == "job.succeeded"


def a_broker_that_forgets_everything_costs_nothing(
    genq: Deployment, private_broker: BrokerProcess
) -> Program:
    waiting = [genq.submit(name, f"in line {number}") for name in NAMES for number in range(5)]
    private_broker.flushall()
    worker = genq.start_worker()
    flying = [genq.submit(name, f"in flight {number}") for name in NAMES for number in range(5)]
    for job_id in flying:
        genq.until(job_id, "running", "succeeded")
    private_broker.flushall()
    for job_id in waiting + flying:
        genq.until(job_id, "succeeded")
        assert genq.sandbox.paid(job_id) == 1
        genq.told(job_id)
    return worker


def a_broker_restart_is_survived_by_everybody(
    genq: Deployment, private_broker: BrokerProcess
) -> None:
    before = genq.submit("kling.text2video", "before [stuck]")
    genq.until(before, "running")
    private_broker.kill()
    private_broker.start()
    after = genq.submit("kling.text2video", "after")
    genq.sandbox.finish(before)
    for job_id in (before, after):
        genq.until(job_id, "succeeded")
        assert genq.sandbox.paid(job_id) == 1


def test_a_worker_killed_in_mid_submit_is_found_out(
    deploy: Deploy, store_url: str, redis_url: str
) -> None:
    """What can be searched for is found, and what cannot be found is never bought again."""
    genq = deploy(store_url, redis_url, GENQ_SUBMIT_LEASE=SHORT_LEASE)
    genq.start_api()
    worker = genq.start_worker()
    film = genq.submit("kling.text2video", "so slow [slow=60]")
    picture = genq.submit("midjourney.imagine", "so slow [slow=60]")
    for job_id in (film, picture):
        wait_for(lambda id=job_id: genq.sandbox.paid(id), QUICKLY, "the submit to arrive")
        assert genq.job(job_id)["state"] == "submitting"
    worker.kill()
    killed = monotonic()
    genq.start_worker()
    genq.until(film, "running", "succeeded")
    assert monotonic() - killed < 30
    lost = genq.until(picture, "in_doubt")
    assert lost["billed"] == "unknown"
    assert "unknown whether the upstream took it" in lost["reason"]
    genq.let_deadline_pass(picture)
    genq.until(film, "succeeded")
    genq.until(picture, "expired")
    assert genq.told(film)["type"] == "job.succeeded"
    assert genq.told(picture)["data"]["billed"] == "unknown"
    for job_id in (film, picture):
        assert genq.sandbox.paid(job_id) == 1


@pytest.mark.parametrize("knob", ["[drop]", "[bad-gateway]", "[no-id]"])
def test_a_lost_answer_is_looked_for(genq: Deployment, knob: str) -> None:
    job_id = genq.submit("kling.text2video", f"where was I {knob}")
    job = genq.until(job_id, "succeeded")
    assert job["attempts"] == 1
    assert genq.sandbox.paid(job_id) == 1


def test_forty_messages_buy_one_job(deploy: Deploy, store_url: str, redis_url: str) -> None:
    genq = deploy(store_url, redis_url, GENQ_WORKER_CONCURRENCY="40")
    genq.start_api()
    job_id = genq.submit("kling.text2video", "once only [slow=1]")
    asyncio.run(nudge_often(genq, job_id, 40))
    workers = [genq.start_worker(), genq.start_worker()]
    genq.until(job_id, "succeeded")
    assert genq.sandbox.paid(job_id) == 1
    assert all(worker.process.poll() is None for worker in workers)


async def nudge_often(genq: Deployment, job_id: str, times: int) -> None:
    store = Store(genq.store_url)
    nudger = Nudger(Settings(redis_url=genq.redis_url))
    try:
        job = await store.jobs.get(job_id)
        assert job is not None
        for _ in range(times):
            nudger.nudge(submit_message(job))
    finally:
        await nudger.close()
        await store.close()


def test_a_worker_told_to_stop_finishes_what_is_on_the_wire(
    deploy: Deploy, sqlite_url: str, redis_url: str
) -> None:
    genq = deploy(sqlite_url, redis_url)
    genq.start_api()
    worker = genq.start_worker()
    on_the_wire = genq.submit("kling.text2video", "nearly there [slow=3] [stuck]")
    wait_for(lambda: genq.sandbox.paid(on_the_wire), QUICKLY, "the submit to arrive")
    stopping = genq.start_in_background(worker.stop)
    wait_for(lambda: "Warm shutdown" in worker.output(), QUICKLY, "the worker to be leaving")
    too_late = genq.submit("kling.text2video", "for the next one")
    assert stopping.result() == 0, worker.output()[-2000:]
    assert genq.job(on_the_wire)["state"] == "running", "its answer was waited for and saved"
    assert genq.job(too_late)["state"] == "queued", "nothing new was claimed"
    genq.start_worker()
    genq.sandbox.finish(on_the_wire)
    for job_id in (on_the_wire, too_late):
        genq.until(job_id, "succeeded")
        assert genq.sandbox.paid(job_id) == 1


@pytest.mark.parametrize("state", ["submitting", "running"])
def test_a_commit_that_goes_unanswered_changes_nothing(
    deploy: Deploy,
    postgres_url: str,
    postgres_cluster: Cluster,
    redis_url: str,
    state: str,
) -> None:
    """Of the claim, or of the upstream's id, for a task that cannot be searched for."""
    genq = deploy(postgres_url, redis_url)
    genq.start_api()
    with proxied(("127.0.0.1", postgres_cluster.port)) as line:
        through = postgres_url.replace(f":{postgres_cluster.port}/", f":{line.port}/")
        cut = line.tamper(commit_of(state.encode()), Harm.LOSE_ANSWER)
        genq.start("worker", "worker", GENQ_DATABASE_URL=through)
        job_id = genq.submit("midjourney.imagine", "signed, and the line went dead")
        genq.until(job_id, "succeeded")
        assert cut.done.is_set()
        assert genq.sandbox.paid(job_id) == 1
        events = genq.request("GET", f"/v1/jobs/{job_id}/events").raise_for_status().json()
        assert "job.in_doubt" not in [event["type"] for event in events["data"]]
        genq.close()


def commit_of(state: bytes) -> Callable[[bytes], bool]:
    """Matches the commit after a job was written in this state."""
    written = False

    def matches(chunk: bytes) -> bool:
        nonlocal written
        written = written or (state in chunk and b"job_" in chunk and b"UPDATE" not in chunk)
        return written and b"COMMIT" in chunk

    return matches
