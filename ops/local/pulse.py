"""Is the worker there? It is asked through the broker, as it will be told of jobs."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

from kombu.exceptions import OperationalError

from generation.queue import celery_app
from generation.settings import Settings
from ops.stack.program import Ready

#: A worker that is up answers at once; one that is coming up is asked again.
PING_SECONDS = 0.3


def worker_answers(redis_url: str, pid: Callable[[], int | None]) -> Ready:
    """Ready when this machine's worker with that process id answers a ping."""
    app = cast(Any, celery_app(Settings.model_construct(redis_url=redis_url)))

    def ping() -> bool:
        name = f"worker-{pid()}@{socket.gethostname()}"
        try:
            return bool(app.control.ping(destination=[name], timeout=PING_SECONDS, limit=1))
        except (OperationalError, OSError):
            return False

    return lambda: asyncio.to_thread(ping)
