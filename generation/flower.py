"""
Jobs as rows in Flower.

Flower knows tasks by the events that Celery's workers publish. A job is shown as one task with the
job's own id, from its order to its end: each of its moves is told here, in the same events, and a
worker has Celery tell none, which would push every one by itself. They are news, not records: what
cannot be published is dropped.
"""

import os
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import structlog
from celery import Celery
from celery.events import event as celery_events
from celery.utils.time import utcoffset
from kombu.messaging import Producer
from pydantic_core import to_json

from generation.job import Job, JobState

log = structlog.get_logger(__name__)

LONGEST_VALUE = 40
LONGEST_SUMMARY = 200
LONGEST_RESULT = 2000
MOST_PENDING = 10_000
MOST_TOGETHER = 500
GATHER_SECONDS = 0.1
IDLE_SECONDS = 0.5

ENDINGS: Mapping[JobState, str] = {
    JobState.SUCCEEDED: "task-succeeded",
    JobState.FAILED: "task-failed",
    JobState.EXPIRED: "task-failed",
    JobState.CANCELED: "task-revoked",
}


def summary(job: Job) -> str:
    """The request in one short line: prompts cut, pictures and links named but not shown."""
    parts = [f"{name}={shown}" for name, value in job.input.items() if (shown := brief(value))]
    line = ", ".join(parts)
    return f"({line if len(line) <= LONGEST_SUMMARY else line[:LONGEST_SUMMARY] + '…'})"


def brief(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool() | int() | float():
            return str(value)
        case str() if value.startswith(("http://", "https://")):
            return "<link>"
        case str() if value.startswith("data:") or (len(value) > 400 and " " not in value):
            return "<file>"
        case str():
            return repr(value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "…")
        case list() | tuple():
            return f"<{len(cast(list[Any], value))} items>"
        case _:
            return "<…>"


def row_event(job: Job, now: datetime) -> tuple[str, dict[str, Any]] | None:
    """The Celery event that shows where the job stands; None where Celery has none for it."""
    fields: dict[str, Any] = {"uuid": job.id, "name": job.type}
    if job.state is JobState.QUEUED and job.attempts == 0:
        return "task-sent", fields | ordered(job) | {
            "queue": "genq.submit",
            "exchange": "",
            "routing_key": "genq.submit",
        }
    if job.state is JobState.SUBMITTING:
        return "task-received", fields | ordered(job)
    if job.state in {JobState.QUEUED, JobState.IN_DOUBT}:
        return "task-retried", fields | {"exception": job.reason, "traceback": ""}
    if job.state is JobState.RUNNING:
        return "task-started", fields
    ending = ENDINGS.get(job.state)
    if ending is None:
        return None
    if ending == "task-succeeded":
        runtime = ((job.finished_at or now) - job.created_at).total_seconds()
        return ending, fields | {"result": result_text(job), "runtime": runtime}
    if ending == "task-failed":
        return ending, fields | {"exception": reason_text(job), "traceback": ""}
    return ending, fields | {"terminated": False, "signum": None, "expired": False}


def ordered(job: Job) -> dict[str, Any]:
    """What Celery tells of a task that has not begun."""
    return {
        "args": summary(job),
        "kwargs": "{}",
        "retries": 0,
        "eta": None,
        "expires": None,
        "root_id": job.id,
        "parent_id": None,
    }


def result_text(job: Job) -> str:
    """The asset URLs, or the texts, of a finished job."""
    if job.result is None:
        return ""
    found = [asset.url for asset in job.result.assets] or list(job.result.texts)
    return " ".join(found)[:LONGEST_RESULT]


def reason_text(job: Job) -> str:
    if job.error is None:
        return job.reason
    return f"{job.error.code}: {job.error.message}"[:LONGEST_RESULT]


class Rows:
    """
    Publishes job events from a thread of its own, so that a slow broker holds nobody up. Starts
    with the first event; `close` lets the last ones out.
    """

    def __init__(self, app: Celery, hostname: str) -> None:
        self._app = app
        #: In every event, as Celery's workers put it.
        self._sender = {"hostname": hostname, "pid": os.getpid()}
        self._waiting: deque[dict[str, Any]] = deque()
        self._some_wait = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._producer: Producer | None = None

    def show(self, job: Job, now: datetime) -> None:
        """Show where the job stands now. Never waits and never fails."""
        event = row_event(job, now)
        if event is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._publish, name="flower-rows", daemon=True)
            self._thread.start()
        if len(self._waiting) >= MOST_PENDING:
            log.warning("flower_events_dropped")
            return
        kind, fields = event
        self._waiting.append(fields | {"type": kind, "timestamp": now.timestamp()})
        if not self._some_wait.is_set():
            self._some_wait.set()

    def close(self, timeout: float = 3) -> None:
        """Publish what is waiting, for at most `timeout` seconds."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _publish(self) -> None:
        while not self._closing.is_set() or self._waiting:
            if not self._some_wait.wait(IDLE_SECONDS):
                continue
            # Events that come within a moment go out as one message, at a fraction of the cost.
            self._closing.wait(GATHER_SECONDS)
            self._some_wait.clear()
            while self._waiting:
                together = min(len(self._waiting), MOST_TOGETHER)
                self._send([self._waiting.popleft() for _ in range(together)])

    def _send(self, batch: list[dict[str, Any]]) -> None:
        """
        What Celery's own dispatcher sends of as many events. That one takes four times as long,
        with the interpreter's lock, which those who take orders wait for.
        """
        try:
            app = cast(Any, self._app)
            offset = utcoffset()
            events = [
                event | self._sender | {"utcoffset": offset, "clock": app.clock.forward()}
                for event in batch
            ]
            self._connected().publish(
                to_json(events),
                routing_key="task.multi",
                content_type="application/json",
                content_encoding="utf-8",
                headers={"hostname": self._sender["hostname"]},
                delivery_mode=1,
            )
        except Exception as error:  # whatever a broker's driver raises: the thread must go on
            log.info("flower_events_dropped", count=len(batch), error=str(error))
            self._producer = None

    def _connected(self) -> Any:
        if self._producer is None:
            connection = cast(Any, self._app).connection_for_write()
            exchange = cast(Any, celery_events).get_exchange(connection)
            self._producer = Producer(connection, exchange=exchange)
        return self._producer
