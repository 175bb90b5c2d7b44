"""Reports of a worker through the broker: that it runs, and what was switched off in it.

Anyone who can reach the broker can use Celery's remote control, and `cancel_consumer` stops all
submits of a worker silently. So that is detected, logged and reported.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic

import structlog

from generation.broker import WorkerReport
from generation.queue import Nudger

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(seconds=1)
REPORT_EVERY = timedelta(seconds=15)
#: How often something that stays switched off is logged again.
REMIND_EVERY = timedelta(minutes=5)


class WorkerReporter:
    """Runs on the process's loop until it is canceled."""

    def __init__(
        self, nudger: Nudger, worker: str, switched_off: Callable[[], Sequence[str]]
    ) -> None:
        self._nudger = nudger
        self._worker = worker
        self._switched_off = switched_off
        self._known: Sequence[str] = ()
        self._report_at = self._remind_at = 0.0

    async def run(self) -> None:
        while True:
            off = list(self._switched_off())
            changed = off != self._known
            if changed or (off and monotonic() >= self._remind_at):
                self._log(off)
            if changed or monotonic() >= self._report_at:
                self._report_at = monotonic() + REPORT_EVERY.total_seconds()
                await self._nudger.report(WorkerReport(self._worker, off))
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    def _log(self, off: Sequence[str]) -> None:
        self._remind_at = monotonic() + REMIND_EVERY.total_seconds()
        self._known = off
        if off:
            log.warning(
                "switched_off_by_remote_control",
                parts=off,
                advice="restart this worker to switch them on",
            )
        else:
            log.info("switched_on_by_remote_control")
