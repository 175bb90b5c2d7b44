"""Recovery times: from a kill until another process continues the work."""

import threading
import time
from dataclasses import dataclass

import structlog

from ops.faults.books import TERMINAL_STATES, Books, Row

log = structlog.get_logger(__name__)

ASK_SECONDS = 0.1


@dataclass(slots=True)
class Kill:
    """A kill, and what it left standing. Times in seconds since 1970."""

    cause: str
    about: str
    at: float
    #: The version of the job as the dead process left it.
    version: int | None = None
    recovered_at: float | None = None
    #: Whether anything else was broken before it had recovered.
    disturbed: bool = False

    @property
    def seconds(self) -> float | None:
        return None if self.recovered_at is None else max(0.0, self.recovered_at - self.at)


class Recoveries:
    """Watches from a thread of its own until it is closed."""

    def __init__(self, books: Books) -> None:
        self.kills: list[Kill] = []
        self._books = books
        self._open = threading.Event()
        self._open.set()
        self._thread = threading.Thread(target=self._watch, name="recoveries", daemon=True)
        self._thread.start()

    def note(self, cause: str, about: str, at: float) -> None:
        """A process was killed while it was busy with this job, or with this upstream task."""
        self.kills.append(Kill(cause, about, at))

    def disturb(self) -> None:
        """Something else is about to be broken."""
        for kill in self.pending:
            kill.disturbed = True

    @property
    def pending(self) -> list[Kill]:
        return [kill for kill in self.kills if kill.recovered_at is None]

    def close(self) -> None:
        self._open.clear()
        self._thread.join()

    def _watch(self) -> None:
        while self._open.is_set():
            try:
                for kill in self.pending:
                    self._look(kill)
            except Exception as error:  # the database is being broken, too
                log.debug("books_closed", error=str(error))
            time.sleep(ASK_SECONDS)

    def _look(self, kill: Kill) -> None:
        rows = self._books.find([kill.about])
        if not rows:
            # Never stored: nobody was told that it was accepted, and there is nothing to recover.
            kill.recovered_at = kill.at
            return
        row = rows[0]
        if kill.version is None:
            kill.version = row.version
        if self._has_moved(row, kill.version):
            kill.recovered_at = time.time()

    def _has_moved(self, row: Row, version: int) -> bool:
        if row.state in TERMINAL_STATES:
            return self._books.owed(row.id) == 0
        return row.version > version
