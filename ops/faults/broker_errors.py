"""A broker that answers with errors, or holds what nobody can read; each is mended again."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from redis import Redis

from generation.queue import SUBMITS
from ops.stack.ports import free_port

GARBAGE = ("no JSON", "[]", "{}", '{"body": "%%%", "properties": {}}', b"\xff\xfe")
PATIENCE_SECONDS = 5


@contextmanager
def readonly(broker: Redis, folder: Path) -> Generator[None]:
    """A replica of nobody, as after a failover."""
    del folder
    broker.replicaof("127.0.0.1", free_port())
    try:
        yield
    finally:
        broker.replicaof("NO", "ONE")


@contextmanager
def misconf(broker: Redis, folder: Path) -> Generator[None]:
    """A snapshot that cannot be written stops all writes."""
    obstacle = folder / "dump.rdb"
    obstacle.mkdir()
    broker.config_set("save", "3600 1")
    broker.bgsave()
    wait(lambda: broker.info("persistence")["rdb_last_bgsave_status"] == "err")
    try:
        yield
    finally:
        obstacle.rmdir()
        broker.config_set("save", "")


@contextmanager
def wrongtype(broker: Redis, folder: Path) -> Generator[None]:
    """The queue's key holds something else."""
    del folder
    broker.delete(SUBMITS)
    broker.set(SUBMITS, "no list")
    try:
        yield
    finally:
        broker.delete(SUBMITS)


@contextmanager
def garbage(broker: Redis, folder: Path) -> Generator[None]:
    """Messages that nobody can read."""
    del folder
    broker.lpush(SUBMITS, *GARBAGE)
    yield


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def answer_with_error(broker: Redis, folder: Path, jitter: Random, seconds: float) -> None:
    """One of these troubles, for so long."""
    trouble = jitter.choice((readonly, misconf, wrongtype, garbage))
    with trouble(broker, folder):
        time.sleep(seconds)
