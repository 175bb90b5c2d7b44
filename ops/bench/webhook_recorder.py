"""A minimal webhook receiver that records the first webhook of each job.

It runs in a thread of the benchmark process.
"""

import asyncio
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from time import time
from typing import cast

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class WebhookRecorder:
    """The time (Unix) of each job's first webhook."""

    def __init__(self) -> None:
        self.received: dict[str, float] = {}
        self.url = ""


class RecorderConnection(asyncio.Protocol):
    """One connection with sequential requests."""

    def __init__(self, recorder: WebhookRecorder) -> None:
        self._hook = recorder
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).lower()
            start = head.index(b"content-length:") + 15
            whole = end + 4 + int(head[start:].split(b"\r", 1)[0])
            if len(self._received) < whole:
                return
            job_id = json.loads(self._received[end + 4 : whole])["data"]["id"]
            del self._received[:whole]
            self._hook.received.setdefault(job_id, time())
            self._transport.write(ANSWER)


@contextmanager
def running_recorder() -> Generator[WebhookRecorder]:
    """Run a recorder on a free loopback port during the block."""
    recorder, loop = WebhookRecorder(), asyncio.new_event_loop()

    async def listen() -> asyncio.Server:
        return await loop.create_server(lambda: RecorderConnection(recorder), "127.0.0.1", 0)

    server = loop.run_until_complete(listen())
    recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    thread = threading.Thread(target=loop.run_forever, name="hook", daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
