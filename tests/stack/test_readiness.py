"""A program is ready once it answers 200."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from ops.stack.ports import free_port
from ops.stack.program import http_answers


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthy" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """A test's output is not a server's log."""


async def test_only_200_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy of the user's environment is no way to a program on this machine.
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert await http_answers(f"{address}/healthy")()
        assert not await http_answers(f"{address}/starting")()
        server.shutdown()
        thread.join()
    assert not await http_answers(f"{address}/healthy")()
