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
from generation.stations.config_file import BadStations, load_stations
from worker.context import Room
from worker.runtime.celery_consumer import SturdyConsumer
from worker.runtime.celery_pool import LoopPool
from worker.runtime.celery_request import JobRequest
from worker.runtime.event_loop import Loop
from worker.runtime.report import Reporter
from worker.submitting.submit import submit
from worker.ticker import Ticker
from worker.webhooks.delivery import Deliveries

log = structlog.get_logger(__name__)

settings = Settings()
app: Celery = celery_app(settings)
app.conf.worker_pool = f"{LoopPool.__module__}:{LoopPool.__name__}"
app.conf.worker_consumer = f"{SturdyConsumer.__module__}:{SturdyConsumer.__name__}"

#: How long a stopping worker waits for open looks and deliveries, beyond their own time limit.
DRAIN_MARGIN_SECONDS = 5


class BackRoom(bootsteps.StartStopStep):
    """Celery boot step that opens the context and ticks while the worker runs.

    It runs with or without a broker. Celery stops it after the consumer and before the pool:
    nothing new is claimed while tasks finish.
    """

    requires = {"celery.worker.components:Pool"}  # noqa: RUF012  (Celery's own form)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._ticker: Ticker | None = None
        self._deliveries: Deliveries | None = None

    def start(self, parent: Any) -> None:
        if not isinstance(parent.pool, LoopPool):
            sys.exit("genq worker: its tasks are coroutines; leave out --pool")
        process.open(parent.pool.loop, parent.hostname)
        self._ticker, self._deliveries = process.loop.run(made_on_loop(process.room))
        process.background.append(process.loop.start(self._ticker.run()))
        process.loop.start(self._deliveries.run())
        consumer: SturdyConsumer = parent.consumer
        reporter = Reporter(process.room.nudger, parent.hostname, lambda: consumer.switched_off)
        process.background.append(process.loop.start(reporter.run()))
        garbage.settle()
        log.info("worker_ready", hostname=parent.hostname, stations=len(process.room.stations))

    def stop(self, parent: Any) -> None:
        del parent
        process.leave()
        if self._ticker is not None and self._deliveries is not None:
            longest = max(settings.look_timeout, settings.webhook_timeout)
            patience = longest.total_seconds() + DRAIN_MARGIN_SECONDS
            try:
                process.loop.run(drained(self._ticker, self._deliveries), patience)
            except TimeoutError:
                log.warning("drain_cut_short")

    terminate = stop


async def made_on_loop(room: Room) -> tuple[Ticker, Deliveries]:
    return Ticker(room), Deliveries(room)


async def drained(ticker: Ticker, deliveries: Deliveries) -> None:
    await asyncio.gather(ticker.drain(), deliveries.drain())


class Process:
    """The state of this worker process."""

    loop: Loop
    room: Room
    #: Celery's object of this process; it knows the exit code.
    controller: Any = None

    def __init__(self) -> None:
        #: What runs until the process ends.
        self.background: list[Future[None]] = []

    def open(self, loop: Loop, hostname: str) -> None:
        """Open the context on this loop. Raises `SystemExit` if the settings cannot work."""
        if unknown := unknown_settings(settings):
            sys.exit(f"genq worker: {'; '.join(unknown)}")
        try:
            stations = load_stations(settings)
        except BadStations as error:
            sys.exit(f"genq worker: {error}")

        async def make() -> Room:
            return Room(settings, stations, app, hostname)

        self.loop = loop
        self.room = loop.run(make())

    def leave(self) -> None:
        """Claim nothing from now on. Open requests go on."""
        if hasattr(self, "room"):
            self.room.leaving = True

    def close(self) -> None:
        for running in self.background:
            running.cancel()
        if hasattr(self, "room"):
            self.loop.run(self.room.close(), 15)
            self.loop.stop()


process = Process()


async def submit_task(job_id: str) -> None:
    """A job's own task. Flower is informed by the code that moves the job."""
    if not process.room.leaving:
        await submit(process.room, job_id)


untyped = cast(Any, app)
for name in providers.names():
    untyped.task(
        name=name, send_events=False, Request=f"{JobRequest.__module__}:{JobRequest.__name__}"
    )(submit_task)


untyped.steps["worker"].add(BackRoom)


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
def close_room(**_: Any) -> None:
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
