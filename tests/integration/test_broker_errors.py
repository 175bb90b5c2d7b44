"""
A broker that answers with errors: the worker goes on with everything that needs no broker, and
takes submits again once the broker takes commands again.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from generation.queue import SUBMITS
from ops.stack.broker import BrokerProcess, client
from ops.stack.ports import free_port
from tests.deployment.deployment import Deployment
from tests.deployment.fixtures import Deploy
from tests.services.waiting import wait_for

SOON = timedelta(seconds=30)
Trouble = Callable[[Redis, Path], None]


def become_replica(broker: Redis, folder: Path) -> None:
    del folder
    broker.replicaof("127.0.0.1", free_port())


def become_primary(broker: Redis, folder: Path) -> None:
    del folder
    broker.replicaof("NO", "ONE")


def fail_to_save(broker: Redis, folder: Path) -> None:
    (folder / "dump.rdb").mkdir()
    broker.config_set("save", "3600 1")
    broker.bgsave()
    wait_for(lambda: saved(broker) == "err", SOON, "the snapshot to fail")


def save_again(broker: Redis, folder: Path) -> None:
    (folder / "dump.rdb").rmdir()
    broker.bgsave()
    wait_for(lambda: saved(broker) == "ok", SOON, "the snapshot to succeed")


def saved(broker: Redis) -> str:
    return broker.info("persistence")["rdb_last_bgsave_status"]


def hold_another_type(broker: Redis, folder: Path) -> None:
    del folder
    broker.delete(SUBMITS)
    broker.set(SUBMITS, "no list")


def hold_nothing(broker: Redis, folder: Path) -> None:
    del folder
    broker.delete(SUBMITS)


TROUBLES: Mapping[str, tuple[Trouble, Trouble]] = {
    "READONLY": (become_replica, become_primary),
    "MISCONF": (fail_to_save, save_again),
    "WRONGTYPE": (hold_another_type, hold_nothing),
}


@pytest.mark.parametrize("code", TROUBLES)
def test_an_error_of_the_broker_stops_only_what_needs_it(
    deploy: Deploy, sqlite_url: str, private_broker: BrokerProcess, tmp_path: Path, code: str
) -> None:
    break_it, mend_it = TROUBLES[code]
    genq = deploy(sqlite_url, private_broker.url)
    genq.start_api()
    worker = genq.start_worker()
    early = genq.submit("kling.text2video", "in flight [stuck]")
    genq.until(early, "running")
    with client(private_broker.url) as broker:
        break_it(broker, tmp_path / "broker")
        wait_for(lambda: "broker_error" in worker.output(), SOON, "the worker to meet the error")
        late = genq.submit("kling.text2video", "ordered meanwhile")
        genq.sandbox.finish(early)
        genq.until(early, "succeeded")
        assert genq.told(early)["type"] == "job.succeeded"
        assert genq.job(late)["state"] == "queued"
        broker_is_named(genq, code)
        assert worker.process.poll() is None
        mend_it(broker, tmp_path / "broker")
    genq.until(late, "succeeded")
    assert genq.sandbox.paid(late) == 1
    wait_for(lambda: broker_check(genq)["ok"], SOON, "the broker to be well")
    assert worker.stop() == 0


def broker_is_named(genq: Deployment, code: str) -> None:
    """By readiness, which stays 200."""
    wait_for(lambda: code in broker_check(genq)["detail"], SOON, "readiness to name the error")
    assert broker_check(genq) | {"detail": ""} == {"ok": False, "required": False, "detail": ""}
    ready = genq.request("GET", "/readyz")
    assert ready.status_code == 200
    assert ready.json()["ready"]
    assert "broker" in ready.json()["degraded"]


def broker_check(genq: Deployment) -> dict[str, Any]:
    return genq.request("GET", "/readyz").json()["checks"]["broker"]


GARBAGE = (
    "no JSON",
    "[]",
    "5",
    "{}",
    '{"body": "%%%", "properties": {}}',
    '{"body": "e30=", "headers": {"task": "kling.text2video"}, "content-type": "x/y",'
    ' "content-encoding": "utf-8", "properties": {"delivery_tag": "1", "delivery_info": {}}}',
    '{"body": "%%%", "headers": {"task": "no.such", "id": "1"}, "content-type": "application/json",'
    ' "content-encoding": "utf-8", "properties": {"delivery_tag": "2", "delivery_info": {},'
    ' "body_encoding": "base64"}}',
    '{"body": "bm8=", "headers": {"task": "kling.text2video", "id": "1"}, "content-encoding":'
    ' "utf-8", "content-type": "application/json", "properties": {"delivery_tag": "3",'
    ' "delivery_info": {}, "body_encoding": "base64"}}',
)


def test_messages_that_cannot_be_read_are_dropped(
    deploy: Deploy, sqlite_url: str, private_broker: BrokerProcess
) -> None:
    genq = deploy(sqlite_url, private_broker.url)
    genq.start_api()
    worker = genq.start_worker()
    with client(private_broker.url) as broker:
        wait_for(lambda: " ready." in worker.output(), SOON, "the worker to receive messages")
        for message in GARBAGE:
            broker.lpush(SUBMITS, message)
            broker.publish("/0.celery.pidbox", message)
        broker.lpush(SUBMITS, b"\xff\xfe")
        broker.lpush(SUBMITS, *(["no JSON"] * 100))
        job_id = genq.submit("kling.text2video", "behind garbage")
        genq.until(job_id, "succeeded")
        assert genq.told(job_id)["type"] == "job.succeeded"
        wait_for(lambda: broker.llen(SUBMITS) == 0, SOON, "the queue to be empty")
    assert "message_dropped" in worker.output()
    assert worker.process.poll() is None
    assert worker.stop() == 0
