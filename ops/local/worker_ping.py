"""Checks through the broker that the worker answers Celery's ping."""

import asyncio
import socket
from collections.abc import Callable
from itertools import count
from typing import Any, cast

from kombu.exceptions import OperationalError

from generation.queue import celery_app
from generation.settings import Settings
from ops.stack.program import Ready

#: A running worker answers at once; a starting one is pings again.
PING_SECONDS = 0.3
#: After this many unanswered pings wait longer: the machine may be busy.
MAX_SHORT_PINGS = 20
LONG_PING_SECONDS = 3


def worker_answers(redis_url: str, pid: Callable[[], int | None]) -> Ready:
    """Return a check that this machine's worker with that process id answers a ping."""
    app = cast(Any, celery_app(Settings.model_construct(redis_url=redis_url)))
    pings = count()

    def ping() -> bool:
        name = f"worker-{pid()}@{socket.gethostname()}"
        timeout = PING_SECONDS if next(pings) < MAX_SHORT_PINGS else LONG_PING_SECONDS
        try:
            return bool(app.control.ping(destination=[name], timeout=timeout, limit=1))
        except (OperationalError, OSError):
            return False

    return lambda: asyncio.to_thread(ping)
