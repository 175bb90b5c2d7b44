"""The data folder of a local stack: its files, and a lock for one stack at a time."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ops.cli.exit_codes import CliError
from ops.cli.running_stack import FILE_NAME


class DataFolder:
    """One stack's folder, created when locked. Private to its owner: it holds secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self.broker = self.folder / "broker"
        #: The stations file of a stack that uses the sandbox.
        self.stations = self.folder / "demo-stations.toml"
        #: `{"url", "key", "webhook_secret"}` of the stack's own API key, mode 0600.
        self.client = self.folder / "client.json"
        #: The same key as a file for `curl -K`, mode 0600.
        self.curl = self.folder / "curl.conf"
        #: The settings of the stack that runs here, for `genq check` and `genq health`; mode 0600.
        self.running = self.folder / FILE_NAME
        self._lock = self.folder / "lock"

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"

    @contextmanager
    def locked(self) -> Generator[None]:
        """Lock the folder for one stack until the block or the process ends.

        Raises `CliError` if another stack holds it or the folder cannot be created.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._lock.open("a+", encoding="utf-8")
        except OSError as error:
            raise CliError(
                f"{shown(self.folder)} cannot be used: {error.strerror}; set GENQ_DATA_DIR to"
                " a folder you may write to"
            ) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CliError(self._taken()) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def _taken(self) -> str:
        holder = self._lock.read_text(encoding="utf-8").strip()
        process = f" (process {holder})" if holder else ""
        return (
            f"a stack runs in {shown(self.folder)} already{process}: stop it with Ctrl-C where it"
            " was started, or start this one in another folder with GENQ_DATA_DIR=…"
        )


def shown(path: Path) -> str:
    """Return the path relative to the current folder if it lies below it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
