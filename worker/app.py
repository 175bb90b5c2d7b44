"""
The Celery worker: `celery -A worker.app worker`, or `genq worker`.

Every operation is a task of its own name, so that Flower lists jobs by what was ordered; a job's
task has the job's id. Tasks are coroutines on the process's one loop
(`worker.runtime.celery_pool`).
"""

import asyncio
import os
import sys
from concurrent.futures import Future
from typing import Any, NoReturn, cast

import structlog
from celery import Celery, bootsteps, signals

from generation import gc_tuning as garbage
from generation import providers
from generation.logs import configure_logging
from generation.queue import celery_app
from generation.setting_names import unknown_settings
from generation.settings import Settings
from generation.stations.config_file import StationsFileError, load_stations
from worker.context import WorkerContext
from worker.runtime.celery_consumer import ResilientConsumer
from worker.runtime.celery_pool import CoroutinePool
from worker.runtime.celery_request import JobRequest
from worker.runtime.event_loop import EventLoopThread
from worker.runtime.report import WorkerReporter
from worker.submitting.submit import submit
from worker.ticker import Ticker
from worker.webhooks.delivery import DeliveryPipeline

log = structlog.get_logger(__name__)

settings = Settings()
app: Celery = celery_app(settings)
app.conf.worker_pool = f"{CoroutinePool.__module__}:{CoroutinePool.__name__}"
app.conf.worker_consumer = f"{ResilientConsumer.__module__}:{ResilientConsumer.__name__}"

#: How long a stopping worker waits for open looks and deliveries, beyond their own time limit.
DRAIN_MARGIN_SECONDS = 5


class WorkerBootStep(bootsteps.StartStopStep):
    """Celery boot step that opens the context and ticks while the worker runs.

    It runs with or without a broker. Celery stops it after the consumer and before the pool:
    nothing new is claimed while tasks finish.
    """

    requires = {"celery.worker.components:Pool"}  # noqa: RUF012  (Celery's own form)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._ticker: Ticker | None = None
        self._deliveries: DeliveryPipeline | None = None

    def start(self, parent: Any) -> None:
        if not isinstance(parent.pool, CoroutinePool):
            sys.exit("genq worker: its tasks are coroutines; leave out --pool")
        process.open(parent.pool.loop, parent.hostname)
        self._ticker, self._deliveries = process.loop.run(made_on_loop(process.context))
        process.background.append(process.loop.start(self._ticker.run()))
        process.loop.start(self._deliveries.run())
        consumer: ResilientConsumer = parent.consumer
        reporter = WorkerReporter(
            process.context.nudger, parent.hostname, lambda: consumer.switched_off
        )
        process.background.append(process.loop.start(reporter.run()))
        garbage.settle()
        log.info("worker_ready", hostname=parent.hostname, stations=len(process.context.stations))

    def stop(self, parent: Any) -> None:
        del parent
        process.leave()
        if self._ticker is not None and self._deliveries is not None:
            longest = max(settings.look_timeout, settings.webhook_timeout)
            retry_waits = longest.total_seconds() + DRAIN_MARGIN_SECONDS
            try:
                process.loop.run(drained(self._ticker, self._deliveries), retry_waits)
            except TimeoutError:
                log.warning("drain_timed_out")

    terminate = stop


async def made_on_loop(context: WorkerContext) -> tuple[Ticker, DeliveryPipeline]:
    return Ticker(context), DeliveryPipeline(context)


async def drained(ticker: Ticker, deliveries: DeliveryPipeline) -> None:
    await asyncio.gather(ticker.drain(), deliveries.drain())


class WorkerProcess:
    """The state of this worker process."""

    loop: EventLoopThread
    context: WorkerContext
    #: Celery's object of this process; it knows the exit code.
    controller: Any = None

    def __init__(self) -> None:
        #: What runs until the process ends.
        self.background: list[Future[None]] = []

    def open(self, loop: EventLoopThread, hostname: str) -> None:
        """Open the context on this loop. Raises `SystemExit` if the settings cannot work."""
        if unknown := unknown_settings(settings):
            sys.exit(f"genq worker: {'; '.join(unknown)}")
        try:
            stations = load_stations(settings)
        except StationsFileError as error:
            sys.exit(f"genq worker: {error}")

        async def make() -> WorkerContext:
            return WorkerContext(settings, stations, app, hostname)

        self.loop = loop
        self.context = loop.run(make())

    def leave(self) -> None:
        """Claim nothing from now on. Open requests go on."""
        if hasattr(self, "room"):
            self.context.is_stopping = True

    def close(self) -> None:
        for running in self.background:
            running.cancel()
        if hasattr(self, "room"):
            self.loop.run(self.context.close(), 15)
            self.loop.stop()


process = WorkerProcess()


async def submit_task(job_id: str) -> None:
    """A job's own task. Flower is informed by the code that moves the job."""
    if not process.context.is_stopping:
        await submit(process.context, job_id)


untyped = cast(Any, app)
for name in providers.names():
    untyped.task(
        name=name, send_events=False, Request=f"{JobRequest.__module__}:{JobRequest.__name__}"
    )(submit_task)


untyped.steps["worker"].add(WorkerBootStep)


@signals.setup_logging.connect
def set_up_logging(**_: Any) -> None:
    configure_logging(settings)


@signals.worker_init.connect
def note_controller(sender: Any, **_: Any) -> None:
    process.controller = sender


@signals.worker_shutting_down.connect
def claim_no_more(**_: Any) -> None:
    process.leave()


@signals.worker_shutdown.connect
def close_context(**_: Any) -> None:
    process.close()


def main() -> NoReturn:
    """Run the worker in this process until it is stopped.

    Exits with 0, or with another code if an error ended it.
    """
    app.worker_main(
        [
            "worker",
            "--without-gossip",
            "--without-mingle",
            "-E",
            "-n",
            # Two workers on one machine need two names.
            f"worker-{os.getpid()}@%h",
            f"--loglevel={settings.log_level}",
        ]
    )
    # Celery's own program does not pass on the exit code.
    sys.exit(process.controller.exitcode)
