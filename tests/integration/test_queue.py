"""Our messages and events at a real broker, compared with Celery's own."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import redis
from structlog.testing import capture_logs

from generation.flower_events import job_event
from generation.flower_publisher import FlowerPublisher
from generation.queue import SUBMITS, Nudger, celery_app, first_submit_message, submit_message
from generation.settings import Settings
from ops.stack.broker import BrokerProcess
from tests.services.waiting import wait_for_async
from tests.unit.jobs import NOON, a_job

SOON = timedelta(seconds=30)
#: Properties that differ from message to message, and the sender's name.
VARYING = {"delivery_tag", "reply_to", "origin", "body"}


def waiting(url: str, queue: str = SUBMITS) -> list[dict[str, Any]]:
    with redis.Redis.from_url(url) as client:
        return [json.loads(body) for body in cast(list[bytes], client.lrange(queue, 0, -1))]


def contents(envelope: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(envelope["body"]))


def without_varying(envelope: dict[str, Any]) -> dict[str, Any]:
    return {
        name: without_varying(cast(dict[str, Any], value)) if isinstance(value, dict) else value
        for name, value in envelope.items()
        if name not in VARYING
    }


@asynccontextmanager
async def a_nudger(url: str) -> AsyncGenerator[Nudger]:
    nudger = Nudger(Settings(redis_url=url))
    try:
        yield nudger
    finally:
        await nudger.close()


async def nudge(url: str, *messages: Any) -> None:
    async with a_nudger(url) as nudger:
        for message in messages:
            nudger.nudge(message)


async def test_our_messages_are_like_celerys(redis_url: str) -> None:
    job = a_job(input={"prompt": "a cat"})
    await nudge(redis_url, submit_message(job))
    app: Any = celery_app(Settings(redis_url=redis_url))
    await asyncio.to_thread(
        lambda: app.send_task(
            job.type,
            args=[job.id],
            task_id=job.id,
            argsrepr="(prompt='a cat')",
            kwargsrepr="{}",
            ignore_result=True,
        )
    )
    theirs, ours = waiting(redis_url)
    assert without_varying(ours) == without_varying(theirs)
    assert contents(ours) == contents(theirs)
    assert set(ours["properties"]) == set(theirs["properties"])
    assert set(ours["headers"]) == set(theirs["headers"])


async def test_a_batch_of_messages_arrives_complete(redis_url: str) -> None:
    jobs = [a_job() for _ in range(1200)]
    await nudge(redis_url, *(submit_message(job) for job in jobs))
    named = {json.loads(base64.b64decode(message["body"]))[0][0] for message in waiting(redis_url)}
    assert named == {job.id for job in jobs}


async def test_celery_receives_our_events_like_its_own(redis_url: str) -> None:
    app: Any = celery_app(Settings(redis_url=redis_url))
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []

    def receive(event: dict[str, Any]) -> None:
        (ours if event["hostname"] == "genq-api@here" else theirs).append(event)

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": receive})
            with receiver.consumer_context(wakeup=False) as (listening, _, _):
                while not theirs:
                    listening.drain_events(timeout=SOON.total_seconds())

    job, *more = [a_job(input={"prompt": "a cat"}) for _ in range(20)]
    listener = asyncio.create_task(asyncio.to_thread(listen))
    async with a_nudger(redis_url) as nudger:
        flower = FlowerPublisher(nudger, app, "genq-api@here")

        def is_received() -> bool:
            """Publish until Celery listens."""
            flower.show(job, NOON)
            return bool(ours)

        await wait_for_async(is_received, SOON, "Celery to listen")
        for other in more:
            flower.show(other, NOON)
        last = more[-1].id
        await wait_for_async(lambda: ours[-1]["uuid"] == last, SOON, "all events")
        kind, fields = job_event(job, NOON) or ("", {})

        def dispatch() -> None:
            with app.events.default_dispatcher() as dispatcher:
                dispatcher.send(kind, **fields)

        await asyncio.to_thread(dispatch)
        await asyncio.wait_for(listener, SOON.total_seconds())
    assert [event["uuid"] for event in ours[-len(more) :]] == [each.id for each in more]
    assert {event["timestamp"] for event in ours} == {NOON.timestamp()}
    own = {"hostname", "timestamp", "local_received", "clock"}
    assert set(ours[0]) == set(theirs[0])
    assert {name: ours[0][name] for name in set(ours[0]) - own} == {
        name: theirs[0][name] for name in set(theirs[0]) - own
    }


async def test_a_broker_that_is_down_does_not_block(private_broker: BrokerProcess) -> None:
    private_broker.stop()
    async with a_nudger(private_broker.url) as nudger:
        with capture_logs() as logs:
            nudger.nudge(submit_message(a_job()))
            assert await nudger.depth() is None
            assert "does not answer" in str(await nudger.fault())
            # Nothing is pushed at once: a broker started before that would get this one as well.
            await wait_for_async(lambda: dropped(logs), SOON, "a dropped nudge")
        await asyncio.to_thread(private_broker.start)
        nudger.nudge(submit_message(a_job()))

        async def arrived() -> bool:
            return await nudger.depth() == 1

        await wait_for_async(arrived, SOON, "the next nudge to arrive")


def dropped(logs: Sequence[Mapping[str, Any]]) -> bool:
    return any(line["event"] == "nudges_dropped" for line in logs)


def test_the_input_summary_shows_no_secret_and_no_file() -> None:
    job = a_job(
        input={
            "prompt": "a very long prompt " * 20,
            "image": "data:image/png;base64," + "A" * 5000,
            "reference": "https://user:password@example.test/secret?token=1",
            "raw": "A" * 500,
            "duration": 5,
        }
    )
    shown = json.loads(submit_message(job).body)["headers"]["argsrepr"]
    assert len(shown) < 220
    assert "password" not in shown
    assert "AAAA" not in shown
    assert "duration=5" in shown
    assert "image=<file>" in shown


async def test_a_job_with_a_slot_is_taken_before_the_queue(redis_url: str) -> None:
    waiting_job, first_job = a_job(), a_job()
    await nudge(redis_url, submit_message(waiting_job), first_submit_message(first_job))
    with redis.Redis.from_url(redis_url) as client:
        taken = cast(tuple[bytes, bytes], client.brpop([SUBMITS], timeout=20))
    assert contents(json.loads(taken[1]))[0] == [first_job.id]
