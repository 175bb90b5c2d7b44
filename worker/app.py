"""
The Celery worker: `celery -A worker.app worker`, or `genq worker`.

A task is a thin shell around one coroutine on the process's loop. Every operation is a task of its
own name, so that Flower lists jobs by what was ordered; a job's task has the job's id.
"""

import asyncio
import os
import sys
from concurrent.futures import Future
from typing import Any, cast

import structlog
from celery import Celery, bootsteps, signals
from celery.exceptions import Ignore

from generation import garbage, providers
from generation.logs import configure_logging
from generation.queue import celery_app
from generation.settings import Settings
from generation.station_file import BadStations, load_stations
from worker.deliveries import Deliveries
from worker.room import Loop, Room
from worker.submits import submit
from worker.ticker import Ticker

log = structlog.get_logger(__name__)

settings = Settings()
app: Celery = celery_app(settings)

#: How long a leaving worker waits for the looks and the deliveries it has on the wire, beyond their
#: own time limit.
DRAIN_MARGIN_SECONDS = 5


class BackRoom(bootsteps.StartStopStep):
    """
    Opens the room and ticks, from the start of the worker to its end, broker or no broker. Celery
    stops it after the consumer and before the pool: nothing new is claimed while tasks finish.
    """

    requires = {"celery.worker.components:Pool"}  # noqa: RUF012  (Celery's own form)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._ticker: Ticker | None = None
        self._deliveries: Deliveries | None = None

    def start(self, parent: Any) -> None:
        shells.open(parent.hostname)
        self._ticker, self._deliveries = shells.loop.run(made_on_loop(shells.room))
        shells.ticking = shells.loop.start(self._ticker.run())
        shells.loop.start(self._deliveries.run())
        garbage.settle()
        log.info("worker_ready", hostname=parent.hostname, stations=len(shells.room.stations))

    def stop(self, parent: Any) -> None:
        del parent
        shells.leave()
        if self._ticker is not None and self._deliveries is not None:
            longest = max(settings.look_timeout, settings.webhook_timeout)
            patience = longest.total_seconds() + DRAIN_MARGIN_SECONDS
            try:
                shells.loop.run(drained(self._ticker, self._deliveries), patience)
            except TimeoutError:
                log.warning("drain_cut_short")

    terminate = stop


async def made_on_loop(room: Room) -> tuple[Ticker, Deliveries]:
    return Ticker(room), Deliveries(room)


async def drained(ticker: Ticker, deliveries: Deliveries) -> None:
    await asyncio.gather(ticker.drain(), deliveries.drain())


class Shells:
    """The way from Celery's threads into the room."""

    loop: Loop
    room: Room
    ticking: "Future[None]"

    def open(self, hostname: str) -> None:
        """
        Open the room, on a loop of its own. Raises `SystemExit` where the settings cannot work.
        """
        try:
            stations = load_stations(settings)
        except BadStations as error:
            sys.exit(f"genq worker: {error}")

        async def make() -> Room:
            return Room(settings, stations, app, hostname)

        self.loop = Loop()
        self.room = self.loop.run(make())

    def leave(self) -> None:
        """From now on nothing new is claimed; what is on the wire goes on."""
        if hasattr(self, "room"):
            self.room.leaving = True

    def close(self) -> None:
        if hasattr(self, "ticking"):
            self.ticking.cancel()
        if hasattr(self, "room"):
            self.loop.run(self.room.close(), 15)
            self.loop.stop()

    def submit(self, job_id: str) -> None:
        if not self.room.leaving:
            self.loop.run(submit(self.room, job_id))


shells = Shells()


def submit_shell(job_id: str) -> None:
    """
    The job's row in Flower. It ends with `Ignore`, which leaves the row as it is: what becomes of
    the job is told there by whoever learns it.
    """
    shells.submit(job_id)
    raise Ignore


untyped = cast(Any, app)
for name in providers.names():
    untyped.task(name=name)(submit_shell)


untyped.steps["worker"].add(BackRoom)


@signals.setup_logging.connect
def set_up_logging(**_: Any) -> None:
    configure_logging(settings)


@signals.worker_shutting_down.connect
def claim_no_more(**_: Any) -> None:
    shells.leave()


@signals.worker_shutdown.connect
def close_room(**_: Any) -> None:
    shells.close()


def main() -> None:
    """Run the worker in this process until it is told to stop."""
    app.worker_main(
        [
            "worker",
            "--without-gossip",
            "--without-mingle",
            "-E",
            "-n",
            # Two workers on one machine must have two names.
            f"worker-{os.getpid()}@%h",
            f"--loglevel={settings.log_level}",
        ]
    )
