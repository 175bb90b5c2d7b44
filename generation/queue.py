"""
How messages get onto the broker's queue.

A message says "look at this job" and nothing more; the row says what to do. So a
message may be lost, doubled or late, and a broker may be down: whoever ticks nudges again.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from random import getrandbits
from typing import Any

import structlog
from celery import Celery
from kombu.entity import Queue
from pydantic_core import to_json
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from generation.broker import BrokerFault, WorkerReport, find_fault, report, reports
from generation.flower_events import summary
from generation.job import Job
from generation.settings import Settings

log = structlog.get_logger(__name__)

SUBMITS = "genq.submit"

#: Messages that come within this time are pushed together: the client's work for a push is that for
#: forty messages, and no job's submit is in such a hurry.
GATHER = timedelta(milliseconds=20)
#: Messages pushed by one command.
PUSH_LIMIT = 500
#: More than this waiting for a broker that is down are dropped: their rows are nudged again anyway.
MOST_PENDING = 20_000
#: After a failed push the broker is left alone for this long.
PAUSE = timedelta(seconds=1)
PUSH_TIMEOUT_SECONDS = 5


def celery_app(settings: Settings) -> Celery:
    """Celery as genq uses it: it carries wake-ups, and no result, delay, retry or state."""
    app = Celery("genq", broker=settings.redis_url)
    app.conf.update(
        result_backend=None,
        task_ignore_result=True,
        # A lost message costs one interval: nothing is gained by holding it to the end.
        task_acks_late=False,
        task_serializer="json",
        accept_content=["json"],
        task_queues=[Queue(SUBMITS)],
        task_default_queue=SUBMITS,
        task_create_missing_queues=False,  # a typo in a queue's name fails instead of vanishing
        worker_concurrency=settings.worker_concurrency,
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=True,
        # Limits belong to keys, in the database: a `rate_limit` sent by Celery's remote control
        # would hold jobs back without a reason in their rows.
        worker_disable_rate_limits=True,
        # An error that the broker answers is handled as a lost connection is
        # (`worker.runtime.celery_consumer`).
        broker_channel_error_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            # A message lost with its worker is made up for by the next tick; keeping a copy of each
            # until it is acknowledged would cost more than all else that is done with it.
            "ack_emulation": False,
            "socket_timeout": 10,  # without it a publish to a frozen broker never returns
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
            "max_connections": 200,
        },
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_max": 0.5},
    )
    return app


@dataclass(frozen=True, slots=True)
class Message:
    """One Celery message, ready for its queue."""

    queue: str
    body: str
    #: Taken before all that wait in the queue.
    first: bool = False


def submit_message(job: Job) -> Message:
    """The job's own task: its id is the job's id, its name what was ordered."""
    return message(SUBMITS, job.type, job.id, [job.id], summary(job))


def call_message(job: Job) -> Message:
    """The same for a job for which a place is kept: it must not stand in the queue as well."""
    return replace(submit_message(job), first=True)


def message(queue: str, task: str, task_id: str, args: Sequence[Any], shown: str) -> Message:
    """
    What Celery itself would put on the queue: its message protocol 2 in kombu's envelope for Redis.
    Written out here because Celery's own way costs half a millisecond and a round trip each, and
    put together of parts because most of it is the same every time; a test holds it against a
    message of Celery's.
    """
    body = base64.b64encode(b"[%b,{},%b]" % (to_json(args), EMBED)).decode()
    name, ident, summary, to = (to_json(text).decode() for text in (task, task_id, shown, queue))
    # Unique among what is unacknowledged, however often one task is nudged.
    tag = f"{task_id}.{getrandbits(64):x}"
    return Message(
        queue,
        f'{{"body":"{body}","content-encoding":"utf-8","content-type":"application/json",'
        f'"headers":{{"task":{name},"id":{ident},"root_id":{ident},"argsrepr":{summary},{HEADERS},'
        f'"properties":{{"correlation_id":{ident},"argsrepr":{summary},"delivery_tag":"{tag}",'
        f'"delivery_info":{{"exchange":"","routing_key":{to}}},{PROPERTIES}}}',
    )


def news(events: Sequence[Mapping[str, Any]], database: int) -> tuple[str, str]:
    """
    The channel on which Celery's listeners hear events, and what kombu would publish there of
    these, all in one; a test has Celery read it.
    """
    body = base64.b64encode(to_json(events)).decode()
    return (
        f"/{database}.celeryev/task.multi",
        f'{{"body":"{body}",{NEWS},"delivery_tag":"{getrandbits(64):x}"}}}}',
    )


EMBED = to_json({"callbacks": None, "errbacks": None, "chain": None, "chord": None})
#: The rest of an object, without its opening brace.
HEADERS = to_json(
    {
        "lang": "py",
        "shadow": None,
        "eta": None,
        "expires": None,
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "parent_id": None,
        "kwargsrepr": "{}",
        "origin": "genq",
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }
).decode()[1:]
PROPERTIES = to_json(
    {
        "reply_to": "",
        "kwargsrepr": "{}",
        "delivery_mode": 2,
        "priority": 0,
        "body_encoding": "base64",
    }
).decode()[1:]
NEWS = (
    '"content-encoding":"utf-8","content-type":"application/json","headers":{},"properties":'
    '{"delivery_mode":1,"delivery_info":{"exchange":"celeryev","routing_key":"task.multi"},'
    '"priority":0,"body_encoding":"base64"'
)


def redis_client(settings: Settings) -> "Redis":
    """A client that never repeats a command: a push that timed out may have arrived."""
    return Redis.from_url(
        settings.redis_url,
        socket_timeout=PUSH_TIMEOUT_SECONDS,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        health_check_interval=0,
    )


class Nudger:
    """
    Puts messages on the queue without ever making anybody wait, and without ever failing. What
    cannot be pushed is dropped, for the row will be nudged again. With them go events for Flower,
    which are news and no records. Lives on one event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self._redis = redis_client(settings)
        self._database = int(self._redis.connection_pool.connection_kwargs.get("db", 0))
        self._pending: list[Message] = []
        self._events: list[Mapping[str, Any]] = []
        self._pusher: asyncio.Task[None] | None = None

    def nudge(self, message: Message) -> None:
        """Push soon. Messages that come together are pushed together."""
        if len(self._pending) < MOST_PENDING:
            self._pending.append(message)
            self._wake()

    def publish(self, event: Mapping[str, Any]) -> None:
        """Tell Celery's listeners of this event, soon."""
        if len(self._events) < MOST_PENDING:
            self._events.append(event)
            self._wake()

    async def depth(self, queue: str = SUBMITS) -> int | None:
        """How many messages wait in a queue; None where the broker cannot be asked."""
        try:
            return int(await self._redis.llen(queue))
        except (RedisError, OSError):
            return None

    async def fault(self) -> BrokerFault | None:
        """None if the broker takes what genq sends it."""
        return await find_fault(self._redis, SUBMITS)

    async def report(self, worker: WorkerReport) -> None:
        """Tell everybody who asks the broker that this worker runs. Never fails."""
        with suppress(RedisError, OSError):
            await report(self._redis, worker)

    async def workers(self) -> Sequence[WorkerReport] | None:
        """The workers that have reported lately; None where the broker cannot be asked."""
        try:
            return await reports(self._redis)
        except (RedisError, OSError):
            return None

    async def close(self) -> None:
        """Push what is pending, briefly, and let go of the broker."""
        if self._pusher and not self._pusher.done():
            await asyncio.wait([self._pusher], timeout=PAUSE.total_seconds())
            self._pusher.cancel()
        await self._redis.aclose()

    def _wake(self) -> None:
        if self._pusher is None or self._pusher.done():
            self._pusher = asyncio.create_task(self._push())

    async def _push(self) -> None:
        while self._pending or self._events:
            await asyncio.sleep(GATHER.total_seconds())
            batch, self._pending = self._pending[:PUSH_LIMIT], self._pending[PUSH_LIMIT:]
            events, self._events = self._events[:PUSH_LIMIT], self._events[PUSH_LIMIT:]
            try:
                await self._send(batch, events)
            except (RedisError, OSError) as error:
                log.warning("nudges_dropped", count=len(batch), error=str(error))
                await asyncio.sleep(PAUSE.total_seconds())

    async def _send(self, batch: Sequence[Message], events: Sequence[Mapping[str, Any]]) -> None:
        by_queue: dict[tuple[str, bool], list[str]] = {}
        for item in batch:
            by_queue.setdefault((item.queue, item.first), []).append(item.body)
        async with self._redis.pipeline(transaction=False) as together:
            for (queue, first), bodies in by_queue.items():
                # Workers take from the right.
                (together.rpush if first else together.lpush)(queue, *bodies)
            if events:
                together.publish(*news(events, self._database))
            await together.execute()
