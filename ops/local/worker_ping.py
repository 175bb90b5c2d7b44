"""Is the worker there? It is asked through the broker, as it will be told of jobs."""

import asyncio
import socket
from collections.abc import Callable
from itertools import count
from typing import Any, cast

from kombu.exceptions import OperationalError

from generation.queue import celery_app
from generation.settings import Settings
from ops.stack.program import Ready

#: A worker that is up answers at once; one that is coming up is asked again.
PING_SECONDS = 0.3
#: Who has not been answered for so often waits for longer: the machine may be busy.
OFTEN = 20
LONG_PING_SECONDS = 3


def worker_answers(redis_url: str, pid: Callable[[], int | None]) -> Ready:
    """Ready when this machine's worker with that process id answers a ping."""
    app = cast(Any, celery_app(Settings.model_construct(redis_url=redis_url)))
    asked = count()

    def ping() -> bool:
        name = f"worker-{pid()}@{socket.gethostname()}"
        patience = PING_SECONDS if next(asked) < OFTEN else LONG_PING_SECONDS
        try:
            return bool(app.control.ping(destination=[name], timeout=patience, limit=1))
        except (OperationalError, OSError):
            return False

    return lambda: asyncio.to_thread(ping)
