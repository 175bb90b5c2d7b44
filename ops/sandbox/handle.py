"""A running station for tests: real HTTP on a free port, in a thread of the test's process."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx

from ops.sandbox.config import SandboxConfig
from ops.sandbox.server import SandboxServer, listen, url_of

START_SECONDS = 30.0


class SandboxHandle:
    """The URL of a running station, and its control endpoints as methods.

    Every method sends an HTTP request and raises httpx.HTTPStatusError for an error response.
    """

    def __init__(self, url: str, control: httpx.Client) -> None:
        self.url = url
        self._control = control

    def stats(self) -> dict[str, Any]:
        """Every count, as GET /_sandbox/stats returns it."""
        return self._ask("GET", "stats")

    def paid(self, reference: str) -> int:
        """The number of charged submits with this job reference."""
        return int(self.stats()["paid_by_reference"].get(reference, 0))

    def tasks(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The newest upstream tasks, the newest first."""
        return list(self._ask("GET", f"tasks?limit={limit}")["tasks"])

    def configure(self, **settings: Any) -> None:
        """Change settings of the running station (see `SandboxConfig`)."""
        self._ask("POST", "configure", settings)

    def advance(self, seconds: float) -> None:
        """Jump the sandbox clock ahead."""
        self._ask("POST", "advance", {"seconds": seconds})

    def finish(self, name: str) -> None:
        """End the task with this id or reference now, with the outcome its knobs ask for."""
        self._ask("POST", "finish", {"id": name})

    def reset(self) -> None:
        """Remove all tasks and counts, and restore the initial settings."""
        self._ask("POST", "reset")

    def _ask(self, method: str, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._control.request(method, f"{self.url}/_sandbox/{name}", json=body)
        return dict(answer.raise_for_status().json())


@contextmanager
def running_sandbox(config: SandboxConfig | None = None) -> Generator[SandboxHandle]:
    """A station on a free port of 127.0.0.1 while the block runs."""
    ready = threading.Event()
    server = SandboxServer(config or SandboxConfig(), ready.set)
    listener = listen("127.0.0.1", 0)
    url = url_of(listener)
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_SECONDS):
            raise RuntimeError(f"the sandbox station did not start within {START_SECONDS} s")
        with httpx.Client(trust_env=False, timeout=30) as control:
            yield SandboxHandle(url, control)
    finally:
        server.stop()
        thread.join()
