"""
Keys with limits, keys in trouble, stations that are down: real workers, a real station.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from generation.store import Store, new_key
from generation.webhooks.signature import new_secret
from ops.stack.broker import BrokerProcess
from ops.stack.ports import free_port
from tests.deployment.deployment import Deployment
from tests.deployment.fixtures import Deploy
from tests.services.waiting import wait_for

SOON = timedelta(seconds=60)
LIMIT = 3
STATIONS = """
[[stations]]
name = "relay"
url = "{url}"
speed = 100
speaks = {{ kling = {{ dialect = "kling.relay" }} }}
keys = [{{ name = "main", env = "RELAY_KEY", max_in_flight = 3 }}]

[[stations]]
name = "down"
url = "http://127.0.0.1:{closed}"
order = 1
speaks = {{ midjourney = {{ dialect = "midjourney.station" }} }}
keys = [{{ name = "main", env = "RELAY_KEY" }}]

[[stations]]
name = "spare"
url = "{url}"
order = 2
speed = 100
speaks = {{ midjourney = {{ dialect = "midjourney.station" }} }}
keys = [{{ name = "one", env = "SPARE_ONE" }}, {{ name = "two", env = "SPARE_TWO" }}]
"""


@pytest.fixture
def two_workers(deploy: Deploy, postgres_url: str, private_broker: BrokerProcess) -> Deployment:
    """A deployment over these stations, with two workers."""
    genq: Deployment = deploy(
        postgres_url,
        private_broker.url,
        RELAY_KEY="sk-relay",
        SPARE_ONE="sk-spare-one",
        SPARE_TWO="sk-spare-two",
    )
    stations = STATIONS.format(url=genq.sandbox.url, closed=free_port())
    (genq.folder / "stations.toml").write_text(stations)
    genq.start_api()
    genq.start_worker()
    genq.start_worker()
    return genq


def test_submits_keep_to_limits_and_find_their_way(
    two_workers: Deployment, private_broker: BrokerProcess
) -> None:
    """One deployment, four troubles in turn, and a bill that is right in the end."""
    genq = two_workers
    jobs = a_crowd_at_a_limited_key(genq, private_broker)
    jobs += a_station_that_is_down(genq)
    jobs += a_key_that_is_called_too_fast(genq)
    jobs += a_key_that_runs_out_of_credits(genq)
    for job_id in jobs:
        assert genq.sandbox.paid(job_id) == 1


def a_crowd_at_a_limited_key(genq: Deployment, broker: BrokerProcess) -> list[str]:
    """The station refuses whoever is too many; nobody may be. Tenants take turns."""
    genq.sandbox.configure(running_slots=LIMIT)
    flood = [crowd(genq, number) for number in range(8)]
    wait_for(lambda: waiting(genq, flood), SOON, "a line to form")
    small = other_tenant(genq)
    own_key, genq.key = genq.key, small
    late = [crowd(genq, number) for number in range(3)]
    wait_for(lambda: waiting(genq, late), SOON, "the others to stand in line")
    shown = genq.job(late[2])
    assert shown["state"] == "queued"
    assert "key main at station relay" in shown["reason"]
    assert 1 <= shown["position"] <= 6, "not behind everybody who came before"
    broker.flushall()
    wait_for(lambda: all_finished(genq, len(flood + late)), SOON, "all of them to be served")
    ended = {job_id: genq.until(job_id, "succeeded") for job_id in late}
    genq.key = own_key
    ended |= {job_id: genq.until(job_id, "succeeded") for job_id in flood}
    refused = genq.sandbox.stats()["refused_by_reason"]
    assert refused == {}, "the station never saw more than its key may have"
    order = sorted(ended, key=lambda job_id: ended[job_id]["submitted_at"])
    last_of_the_late = max(order.index(job_id) for job_id in late)
    assert last_of_the_late < len(order) - 2, "who came last was not served last"
    genq.sandbox.configure(running_slots=0)
    return flood + late


def crowd(genq: Deployment, number: int) -> str:
    return genq.submit("kling.text2video", f"one of many {number} [stuck]")


def all_finished(genq: Deployment, count: int) -> bool:
    """End whatever runs at the station; whether that was everything."""
    tasks = genq.sandbox.tasks()
    for task in tasks:
        if task["reference"] and task["phase"] not in {"succeeded", "failed"}:
            genq.sandbox.finish(task["reference"])
    return len(tasks) == count


def waiting(genq: Deployment, jobs: Sequence[str]) -> bool:
    """Whether each of these is sent, or stands in line."""
    found = [genq.job(job_id) for job_id in jobs]
    return all(job["state"] != "queued" or job["position"] for job in found)


def other_tenant(genq: Deployment) -> str:
    key = new_key()

    async def add() -> None:
        store = Store(genq.store_url)
        try:
            await store.keys.add("small", key, new_secret(), datetime.now(UTC))
        finally:
            await store.close()

    asyncio.run(add())
    return key


def a_station_that_is_down(genq: Deployment) -> list[str]:
    """Whoever cannot be reached has surely accepted nothing: the next station is asked at once."""
    job_id = genq.submit("midjourney.imagine", "a way around")
    job = genq.until(job_id, "succeeded")
    assert (job["upstream"]["station"], job["attempts"], job["billed"]) == ("spare", 2, "yes")
    return [job_id]


def a_key_that_is_called_too_fast(genq: Deployment) -> list[str]:
    """429 is no acceptance either: the other key is asked, and the first one rests."""
    job_id = genq.submit("midjourney.imagine", "in a hurry [throttle=1]")
    job = genq.until(job_id, "succeeded")
    assert (job["upstream"]["station"], job["attempts"]) == ("spare", 3)
    return [job_id]


def a_key_that_runs_out_of_credits(genq: Deployment) -> list[str]:
    """Its jobs wait, everybody is told, and it recovers by itself."""
    genq.sandbox.configure(no_credit_keys=["sk-relay"])
    jobs = [genq.submit("kling.text2video", f"when there is money {n}") for n in range(3)]

    def told() -> dict[str, Any] | None:
        found = [genq.job(job_id) for job_id in jobs]
        blocked = all("out_of_credits" in (job["reason"] or "") for job in found)
        return found[0] if blocked and all(job["position"] for job in found) else None

    job = wait_for(told, SOON, "all to wait for the key") or {}
    assert (job["state"], job["billed"], job["error"]) == ("queued", "no", None)

    def balance_told() -> bool:
        ready = genq.request("GET", "/readyz")
        assert ready.status_code == 200
        words = "station relay refuses key main (out_of_credits, 0 USD left)"
        return words in ready.json()["checks"]["keys"]["detail"]

    wait_for(balance_told, SOON, "its balance to be known")
    refused = genq.sandbox.stats()["refused_submits"]
    assert refused < 10, "a blocked key is tried by one job at a time, and seldom"
    genq.sandbox.configure(no_credit_keys=[])
    for job_id in jobs:
        assert genq.until(job_id, "succeeded")["billed"] == "yes"
    assert genq.request("GET", "/readyz").json()["checks"]["keys"]["ok"]
    return jobs
