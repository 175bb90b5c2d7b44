"""A minimal upstream: every task is running; records when each was polled.

`python -m ops.bench.upstream_stub --port 9000 --delay 0.05`. It implements a minimum of HTTP/1.1,
to cost less than the worker that polls it.
"""

import argparse
import asyncio
import json
from time import time
from typing import Any, cast

import uvloop

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class RequestLog:
    """The times (Unix) at which each task was polled."""

    def __init__(self) -> None:
        self.requests = 0
        self.asked: dict[str, list[float]] = {}

    def note(self, task: str) -> None:
        self.asked.setdefault(task, []).append(time())


class StubConnection(asyncio.Protocol):
    """One connection with sequential requests."""

    def __init__(self, log: RequestLog, delay: float) -> None:
        self._log = log
        self._delay = delay
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end])
            size = content_length(head)
            if len(self._received) < end + 4 + size:
                return
            body = bytes(self._received[end + 4 : end + 4 + size])
            del self._received[: end + 4 + size]
            self._answer(head.split(b" ", 2)[1].decode(), body)

    def _answer(self, path: str, body: bytes) -> None:
        if path == "/notes":
            wanted = json.loads(body)
            asked = {task: self._log.asked.get(task, []) for task in wanted["tasks"]}
            self._send({"requests": self._log.requests, "asked": asked})
            return
        self._log.requests += 1
        if path == "/mj/task/list-by-condition":
            ids: list[str] = json.loads(body)["ids"]
            for task in ids:
                self._log.note(task)
            document: Any = [picture(task) for task in ids]
        else:
            task = path.rsplit("/", 1)[1]
            self._log.note(task)
            document = video(task)
        asyncio.get_running_loop().call_later(self._delay, self._send, document)

    def _send(self, document: Any) -> None:
        if self._transport is not None:
            body = json.dumps(document).encode()
            self._transport.write(HEAD % len(body) + body)


def content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    if start < 0:
        return 0
    return int(lowered[start + 15 :].split(b"\r", 1)[0])


def video(task: str) -> dict[str, Any]:
    """A running Kling video task."""
    data = {
        "task_id": task,
        "task_status": "processing",
        "task_status_msg": "",
        "task_info": {"external_task_id": f"job-of-{task}"},
        "created_at": 1722769557708,
        "updated_at": 1722769562708,
    }
    return {"code": 0, "message": "SUCCEED", "request_id": f"r-{task}", "data": data}


def picture(task: str) -> dict[str, Any]:
    """A running Midjourney grid task."""
    return {
        "id": task,
        "action": "IMAGINE",
        "status": "IN_PROGRESS",
        "progress": "40%",
        "prompt": "a lighthouse at dusk, slow pan --v 7",
        "submitTime": 1722769557708,
        "startTime": 1722769562708,
        "imageUrl": "",
        "failReason": None,
        "buttons": [],
        "properties": {"finalPrompt": "a lighthouse at dusk, slow pan --v 7"},
    }


async def serve(port: int, delay: float) -> None:
    log = RequestLog()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: StubConnection(log, delay), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ops.bench.upstream_stub", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.05)
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.delay))


if __name__ == "__main__":
    main()
