"""Watches SQLite's file, because data written to a moved or replaced file is lost."""

from pathlib import Path


class DatabaseReplaced(OSError):
    """The file was replaced or is gone; the message says what to do."""


class DatabaseFile:
    """The file of one database, as this process opened it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._identity: tuple[int, int] | None = None

    def check(self) -> None:
        """Raise `DatabaseReplaced` if it is not the same file any more."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            if self._identity is None:
                return  # it is about to be made
            raise self._replaced("is gone") from None
        identity = found.st_dev, found.st_ino
        if self._identity is None:
            self._identity = identity
        elif self._identity != identity:
            raise self._replaced("was replaced by another file")

    def _replaced(self, what: str) -> DatabaseReplaced:
        return DatabaseReplaced(
            f"{self._file} {what} while it was in use: put it back, or stop every process of genq"
            " and start them again"
        )
