"""
A webhook receiver: a real HTTP server that keeps what it got and answers as it is told.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict[str, Any]:
        return json.loads(self.body)

    def verify(self, secret: str) -> dict[str, Any]:
        """The payload, if the public library accepts the signature; raises otherwise."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """
    Answers 200, or first the statuses put into `answers`, in order; those only to requests whose
    URL ends with `answering`.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self.answers: list[int] = []
        self.answering = ""
        self._received: list[Received] = []
        self._lock = Lock()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            meant = path.endswith(self.answering)
            status = self.answers.pop(0) if self.answers and meant else 200
            self._received.append(Received(headers, body, status))
        return status

    @property
    def received(self) -> list[Received]:
        with self._lock:
            return list(self._received)

    def about(self, job_id: str) -> list[Received]:
        """What came about one job, in the order it came."""
        return [r for r in self.received if r.payload["data"]["id"] == job_id]


@contextmanager
def running_receiver() -> Generator[Receiver]:
    """A receiver on a free port of loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(self.path, headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: tests read `received`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
