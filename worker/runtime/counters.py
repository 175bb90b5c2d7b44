"""Counters of a worker's looks, added to the deployment's counters periodically.

They are for monitoring: a failed write is repeated later, and what a killed process had not written
is lost.
"""

from collections import Counter
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.counters import LOOK_FAULTS, LOOKS, STRANGE_WORDS
from generation.store import Database, add_to_tallies
from worker.runtime.clock import is_recent

log = structlog.get_logger(__name__)

WRITE_EVERY = timedelta(seconds=15)


class LookCounters:
    """The counters of one process. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unwritten: Counter[str] = Counter()
        self._written_at: datetime | None = None
        #: Since the process began.
        self.all: Counter[str] = Counter({LOOKS: 0, LOOK_FAULTS: 0, STRANGE_WORDS: 0})

    def add(self, name: str) -> None:
        """Count one more of a name of `generation.counters`."""
        self._unwritten[name] += 1
        self.all[name] += 1

    async def write_down(self, now: datetime) -> None:
        """Write the counters if it is time to. Never fails."""
        if is_recent(self._written_at, now, WRITE_EVERY):
            return
        self._written_at = now
        counts, self._unwritten = self._unwritten, Counter()
        try:
            await add_to_tallies(self._database, counts)
        except (SQLAlchemyError, OSError) as error:
            self._unwritten += counts
            log.warning("counters_not_written", error=f"{type(error).__name__}: {error}")
