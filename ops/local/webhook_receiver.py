"""The demonstration's webhook receiver, written like a genq user would write it.

Every webhook is verified with the public `standardwebhooks` library.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import uvicorn
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ops.sandbox.server import listen, url_of
from ops.stack.ports import LOOPBACK

PATH = "/genq-webhook"


class DemoReceiver:
    """Receives webhooks at `url` and stores the last verified event type of each job."""

    def __init__(self, secret: str, url: str) -> None:
        self.url = url
        #: Number of webhooks with an invalid signature.
        self.refused = 0
        self._library = Webhook(secret)
        self._events: dict[str, str] = {}
        self._changed = asyncio.Condition()

    async def take(self, request: Request) -> Response:
        """The endpoint: 204 for a verified webhook, else 401."""
        try:
            message: Any = self._library.verify(await request.body(), dict(request.headers))
        except WebhookVerificationError:
            self.refused += 1
            return Response(status_code=401)
        async with self._changed:
            self._events[str(message["data"]["id"])] = str(message["type"])
            self._changed.notify_all()
        return Response(status_code=204)

    async def wait_for_event(self, job_id: str, within: timedelta) -> str | None:
        """Return the job's last event type such as `job.succeeded`; None after the timeout."""
        try:
            async with asyncio.timeout(within.total_seconds()), self._changed:
                await self._changed.wait_for(lambda: job_id in self._events)
        except TimeoutError:
            return None
        return self._events[job_id]


class QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signal handling to its program."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def running_receiver(secret: str) -> AsyncGenerator[DemoReceiver]:
    """Run a receiver on a free loopback port during the block."""
    listener = listen(LOOPBACK, 0)
    listener.listen()
    receiver = DemoReceiver(secret, url_of(listener) + PATH)
    app = Starlette(routes=[Route(PATH, receiver.take, methods=["POST"])])
    config = uvicorn.Config(
        app, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving
