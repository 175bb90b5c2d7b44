"""Orders that are accepted: what is answered, what is kept, who is told."""

import base64
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from api.jobs.schemas import Job as JobDocument
from generation.job import JobState
from generation.queue import SUBMITS
from ops.stack.broker import BrokerProcess, client
from tests.api.serving import ORDER, Caller, Served, serving, settings_of
from tests.pictures import packed, png
from tests.services.waiting import wait_for

SOON = timedelta(seconds=20)


def test_an_accepted_order_is_on_disk(caller_on_both: Caller) -> None:
    caller = caller_on_both
    before = datetime.now(UTC)
    answer = caller.post(
        "/v1/jobs",
        ORDER
        | {
            "input": {"prompt": "a paper boat", "duration": 10},
            "webhook": {"url": "https://hooks.example.com/x", "events": ["job.failed"]},
            "metadata": {"customer": "42"},
            "deadline": "10m",
        },
    )
    after = datetime.now(UTC)
    assert answer.status_code == 202
    document = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{document['id']}" == document["urls"]["self"]
    # Of Kling's videos, which take 319 seconds usually, the first end about now.
    assert answer.headers["retry-after"] == "49"
    assert JobDocument.model_validate_json(answer.content).state is JobState.QUEUED
    assert document["metadata"] == {"customer": "42"}

    job = caller.stored(document["id"])
    assert (job.tenant, job.type) == (caller.tenant, "kling.text2video")
    # As the caller wrote it: defaults may change, and what was ordered may not.
    assert job.input == {"prompt": "a paper boat", "duration": "10"}
    assert job.webhook is not None
    assert job.webhook.events == ("job.failed",)
    assert before <= job.created_at <= after
    assert job.deadline == job.created_at + timedelta(minutes=10)
    assert job.wake_at == job.created_at + caller.api.settings.nudge_again
    assert job.not_before is None
    assert job.sequence == 1


def test_without_a_deadline_the_operation_has_its_usual_one(caller: Caller) -> None:
    job = caller.stored(caller.order()["id"])
    assert job.deadline - job.created_at == timedelta(hours=1)


def test_a_deadline_before_the_next_nudge_wakes_in_time(caller: Caller) -> None:
    job = caller.stored(caller.order(deadline=3)["id"])
    assert job.wake_at == job.deadline == job.created_at + timedelta(seconds=3)


def test_one_message_nudges_a_worker(served: Served) -> None:
    document = served.caller().order()
    with client(served.settings.redis_url) as redis:
        wait_for(lambda: redis.llen(SUBMITS) == 1, SOON, "the nudge")
        envelope: dict[str, Any] = json.loads(str(redis.lindex(SUBMITS, 0)))
    assert envelope["headers"]["task"] == "kling.text2video"
    assert envelope["headers"]["id"] == document["id"]
    assert json.loads(base64.b64decode(envelope["body"]))[0] == [document["id"]]


def test_flower_is_told(served: Served) -> None:
    with client(served.settings.redis_url) as redis, redis.pubsub() as channel:
        events: Any = channel
        events.psubscribe("*celeryev*")
        wait_for(events.get_message, SOON, "the subscription")
        document = served.caller().order()

        def told() -> bool:
            message = events.get_message()
            return message is not None and document["id"] in told_of(message)

        wait_for(told, SOON, "an event about the job")


def told_of(message: dict[str, Any]) -> str:
    """The ids of the tasks that this published message speaks of."""
    if message["type"] != "pmessage":
        return ""
    body = base64.b64decode(json.loads(message["data"])["body"])
    events: list[dict[str, Any]] = json.loads(body)
    return " ".join(event["uuid"] for event in events if event["type"] == "task-sent")


def test_urls_are_absolute_where_the_public_address_is_known(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, sqlite_url, redis_url, public_url="https://genq.example.com/")
    with serving(settings) as served:
        answer = served.caller().post("/v1/jobs", ORDER)
        job_id = answer.json()["id"]
        refused = served.caller().get("/v1/jobs/job_x")
    assert answer.headers["location"] == f"https://genq.example.com/v1/jobs/{job_id}"
    assert answer.json()["urls"]["cancel"] == f"https://genq.example.com/v1/jobs/{job_id}/cancel"
    assert refused.json()["type"] == "https://genq.example.com/problems/not_found"


def test_long_strings_come_back_cut(caller: Caller) -> None:
    picture = packed(png(64, 64, 30_000))
    order = {"provider": "midjourney", "operation": "imagine"}
    document = caller.order(**order, input={"prompt": "a cat", "images": [picture]})
    assert len(document["input"]["images"][0]) < 200
    assert caller.stored(document["id"]).input["images"][0].endswith(picture)


def test_two_hundred_at_once_are_all_kept(served_on_both: Served) -> None:
    caller = served_on_both.caller()
    with ThreadPoolExecutor(32) as pool:
        ids = {job.result()["id"] for job in [pool.submit(caller.order) for _ in range(200)]}
    assert len(ids) == 200
    counted = served_on_both.in_store(lambda store: store.jobs.counts())
    assert counted == {"queued": 200}
    with client(served_on_both.settings.redis_url) as redis:
        wait_for(lambda: redis.llen(SUBMITS) == 200, SOON, "200 nudges")


def test_no_broker_is_needed(
    tmp_path: Path, sqlite_url: str, private_broker: BrokerProcess
) -> None:
    """Neither one that is gone nor one that keeps its connections and answers nothing."""
    with serving(settings_of(tmp_path, sqlite_url, private_broker.url)) as served:
        caller = served.caller()
        caller.order()
        for violence in (signal.SIGKILL, signal.SIGSTOP):
            private_broker.start()
            caller.order()
            assert private_broker.pid is not None
            os.kill(private_broker.pid, violence)
            try:
                began = monotonic()
                for _ in range(10):
                    caller.order()
                assert monotonic() - began < 5, "nobody waits half a second for a broker"
            finally:
                private_broker.kill()
        assert served.in_store(lambda store: store.jobs.counts()) == {"queued": 23}
