"""
Jobs as rows in Flower.

Flower knows tasks by the events that Celery's workers publish. A job is shown as one task with the
job's own id, from its submit to its end: what happens after the submit message is done with is told
here, in the same events. They are news, not records: what cannot be published is dropped.
"""

import queue
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import structlog
from celery import Celery
from celery.events.dispatcher import EventDispatcher

from generation.job import Job, JobState

log = structlog.get_logger(__name__)

LONGEST_VALUE = 40
LONGEST_SUMMARY = 200
LONGEST_RESULT = 2000
MOST_PENDING = 10_000
MOST_TOGETHER = 200
GATHER_SECONDS = 0.05
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
    """The Celery event that shows where the job stands; None where Celery's own shows it."""
    fields: dict[str, Any] = {"uuid": job.id, "name": job.type}
    if job.state is JobState.QUEUED and job.attempts == 0:
        return "task-sent", fields | {
            "args": summary(job),
            "kwargs": "{}",
            "retries": 0,
            "eta": None,
            "expires": None,
            "queue": "genq.submit",
            "exchange": "",
            "routing_key": "genq.submit",
            "root_id": job.id,
            "parent_id": None,
        }
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
        self._hostname = hostname
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue(MOST_PENDING)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._dispatcher: EventDispatcher | None = None

    def show(self, job: Job, now: datetime) -> None:
        """Show where the job stands now. Never waits and never fails."""
        event = row_event(job, now)
        if event is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._publish, name="flower-rows", daemon=True)
            self._thread.start()
        try:
            self._events.put_nowait((event[0], event[1] | {"timestamp": now.timestamp()}))
        except queue.Full:
            log.warning("flower_events_dropped")

    def close(self, timeout: float = 3) -> None:
        """Publish what is waiting, for at most `timeout` seconds."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _publish(self) -> None:
        while not (self._closing.is_set() and self._events.empty()):
            try:
                batch = [self._events.get(timeout=IDLE_SECONDS)]
            except queue.Empty:
                continue
            # Events that come within a moment go out as one message, at a fraction of the cost.
            self._closing.wait(GATHER_SECONDS)
            with suppress(queue.Empty):
                while len(batch) < MOST_TOGETHER:
                    batch.append(self._events.get_nowait())
            self._send(batch)

    def _send(self, batch: list[tuple[str, dict[str, Any]]]) -> None:
        try:
            dispatcher = self._connected()
            for kind, fields in batch:
                dispatcher.send(kind, **fields)
            dispatcher.flush(errors=False)
        except Exception as error:  # whatever a broker's driver raises: the thread must go on
            log.info("flower_events_dropped", count=len(batch), error=str(error))
            self._dispatcher = None

    def _connected(self) -> EventDispatcher:
        if self._dispatcher is None:
            connection = cast(Any, self._app).connection_for_write()
            self._dispatcher = EventDispatcher(
                connection,
                app=self._app,
                hostname=self._hostname,
                buffer_group={"task"},
                buffer_limit=200,
                # What cannot be published now is not worth the memory of keeping it.
                buffer_while_offline=False,
            )
        return self._dispatcher
