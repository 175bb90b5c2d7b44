"""Serves a station over HTTP. It can close a connection without a response, and stops at once."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ops.sandbox.app import create_app
from ops.sandbox.config import SandboxConfig
from ops.sandbox.replies import HANG_UP

#: Real seconds that a stopping server waits for open connections.
SHUTDOWN_SECONDS = 1
#: Real seconds that an idle connection is kept, as proxies in front of stations do.
KEEP_ALIVE_SECONDS = 75


class HangUpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol; an application can close its connection without a response."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {"now": self.transport.abort}}


class SandboxServer(uvicorn.Server):
    """Serves a station on a listening socket until `stop`; calls `on_ready` once it answers."""

    def __init__(self, config: SandboxConfig, on_ready: Callable[[], None]) -> None:
        app = create_app(config)
        super().__init__(
            uvicorn.Config(
                app,
                http=HangUpProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        self._station = app.station
        self._on_ready = on_ready

    def stop(self) -> None:
        """Stop soon. May be called from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._station.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """In the main thread, stop on SIGTERM and SIGINT, with exit code 0."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket (port 0: any free one); raises OSError if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """The root URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(config: SandboxConfig, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; prints one line on standard output when it is ready."""
    listener = listen(host, port)

    def say_ready() -> None:
        print(f"sandbox station ready on {url_of(listener)}", flush=True)

    SandboxServer(config, say_ready).run([listener])
