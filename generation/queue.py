"""Puts messages on the broker's queue.

A message says "look at this job" and nothing more; the row says what to do. So a message may be
lost, doubled or late, and the broker may be down: each tick of a worker nudges again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from celery import Celery
from kombu.entity import Queue
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from generation.broker import BrokerFault, WorkerReport, find_fault, load_reports, save_report
from generation.celery_messages import QueueMessage, event_message, task_message
from generation.flower_events import input_summary
from generation.job import Job
from generation.settings import Settings

log = structlog.get_logger(__name__)

SUBMITS = "genq.submit"

#: Messages within this time are pushed together: the client's work for one push is that for forty
#: messages, and a submit can wait that long.
BATCH_DELAY = timedelta(milliseconds=20)
#: Messages pushed by one command.
MAX_BATCH = 500
#: Messages that wait for a broker that is down. More are dropped: their rows are nudged again.
MAX_PENDING = 20_000
#: The wait after a failed push.
RETRY_DELAY = timedelta(seconds=1)
PUSH_TIMEOUT_SECONDS = 5


def celery_app(settings: Settings) -> Celery:
    """Return Celery as genq uses it: for wake-ups, without results, delays, retries or states."""
    app = Celery("genq", broker=settings.redis_url)
    app.conf.update(
        result_backend=None,
        task_ignore_result=True,
        # A lost message costs one interval, so nothing is gained by a late acknowledgement.
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
        # Limits belong to keys, in the database: a `rate_limit` command of Celery's remote control
        # would hold jobs back without a reason in their rows.
        worker_disable_rate_limits=True,
        # An error that the broker answers is handled as a lost connection is
        # (`worker.runtime.celery_consumer`).
        broker_channel_error_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            # The next tick makes up for a message lost with its worker; a copy of each message
            # until it is acknowledged would cost more than everything else done with it.
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


def submit_message(job: Job) -> QueueMessage:
    """Return the message that has a worker submit the job. Its task id is the job's id."""
    return task_message(SUBMITS, job.type, job.id, [job.id], input_summary(job))


def first_submit_message(job: Job) -> QueueMessage:
    """Return the same for a job that holds a slot of a key, so it must not wait in the queue."""
    return replace(submit_message(job), is_first=True)


def redis_client(settings: Settings) -> "Redis":
    """Return a client that never repeats a command: a push that timed out may have arrived."""
    return Redis.from_url(
        settings.redis_url,
        socket_timeout=PUSH_TIMEOUT_SECONDS,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        health_check_interval=0,
    )


class Nudger:
    """Pushes messages and Flower's events to the broker in the background.

    It never blocks and never fails: what cannot be pushed is dropped, because the rows are nudged
    again and events are only for display. Use it on one event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self._redis = redis_client(settings)
        self._database = int(self._redis.connection_pool.connection_kwargs.get("db", 0))
        self._messages: list[QueueMessage] = []
        self._events: list[Mapping[str, Any]] = []
        self._pusher: asyncio.Task[None] | None = None

    def nudge(self, message: QueueMessage) -> None:
        """Push a message soon, together with others."""
        if len(self._messages) < MAX_PENDING:
            self._messages.append(message)
            self._start_pusher()

    def publish(self, event: Mapping[str, Any]) -> None:
        """Publish an event to Celery's event listeners soon, together with others."""
        if len(self._events) < MAX_PENDING:
            self._events.append(event)
            self._start_pusher()

    async def depth(self, queue: str = SUBMITS) -> int | None:
        """Return the number of messages in a queue; None if the broker does not answer."""
        try:
            return int(await self._redis.llen(queue))
        except (RedisError, OSError):
            return None

    async def fault(self) -> BrokerFault | None:
        """Return None if the broker accepts the commands that genq needs."""
        return await find_fault(self._redis, SUBMITS)

    async def report(self, worker: WorkerReport) -> None:
        """Store a worker's report at the broker. Never fails."""
        with suppress(RedisError, OSError):
            await save_report(self._redis, worker)

    async def workers(self) -> Sequence[WorkerReport] | None:
        """Return the workers that reported lately; None if the broker does not answer."""
        try:
            return await load_reports(self._redis)
        except (RedisError, OSError):
            return None

    async def close(self) -> None:
        """Push pending messages for at most a second, then disconnect."""
        if self._pusher and not self._pusher.done():
            await asyncio.wait([self._pusher], timeout=RETRY_DELAY.total_seconds())
            self._pusher.cancel()
        await self._redis.aclose()

    def _start_pusher(self) -> None:
        if self._pusher is None or self._pusher.done():
            self._pusher = asyncio.create_task(self._push_all())

    async def _push_all(self) -> None:
        while self._messages or self._events:
            await asyncio.sleep(BATCH_DELAY.total_seconds())
            messages, self._messages = self._messages[:MAX_BATCH], self._messages[MAX_BATCH:]
            events, self._events = self._events[:MAX_BATCH], self._events[MAX_BATCH:]
            try:
                await self._push(messages, events)
            except (RedisError, OSError) as error:
                log.warning("nudges_dropped", count=len(messages), error=str(error))
                await asyncio.sleep(RETRY_DELAY.total_seconds())

    async def _push(
        self, messages: Sequence[QueueMessage], events: Sequence[Mapping[str, Any]]
    ) -> None:
        by_queue: dict[tuple[str, bool], list[str]] = {}
        for message in messages:
            by_queue.setdefault((message.queue, message.is_first), []).append(message.body)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for (queue, is_first), bodies in by_queue.items():
                # Workers take from the right.
                (pipeline.rpush if is_first else pipeline.lpush)(queue, *bodies)
            if events:
                pipeline.publish(*event_message(events, self._database))
            await pipeline.execute()
