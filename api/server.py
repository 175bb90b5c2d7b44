"""The process that serves the API."""

import asyncio
import os
import signal
import socket
import sys
import threading
from types import FrameType

import structlog
import uvicorn

from api.app import Api, create_app
from api.http.uvicorn_protocol import protocol_class
from api.startup_checks import Refusal, check_store
from generation import gc_tuning as garbage
from generation.logs import configure_logging
from generation.settings import Settings
from generation.stations.config_file import StationsFileError
from generation.store import Store, UnusableDatabase

__all__ = ["create_app", "run"]

log = structlog.get_logger(__name__)

#: After SIGTERM, running requests have this time …
GRACE_SECONDS = 5
#: … and the process as a whole this time.
END_SECONDS = 9.5
KEEP_ALIVE_SECONDS = 30
#: A thread that waits for the interpreter's lock gets it after this time. SQLite runs in a thread,
#: several times for each group of jobs; with Python's default of 5 ms a commit mostly waits.
SWITCH_SECONDS = 0.0005


class Server(uvicorn.Server):
    """uvicorn, whose shutdown neither a thread nor a stream can delay."""

    def __init__(self, config: uvicorn.Config, app: Api) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # A thread that hangs in a database driver would keep the interpreter alive for minutes.
        last_resort = threading.Timer(END_SECONDS, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        super().handle_exit(sig, frame)
        self.end()

    def end(self) -> None:
        """Stop accepting connections, end streams and finish running requests. Thread-safe."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._app.close_streams)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Then no new request is accepted, running ones are finished, and the process ends with code 0
    within 10 seconds. If the API cannot start, it ends with code 1 and one sentence that says what
    to do.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, exit_process)
    configure_logging(settings)
    try:
        app, listener = prepare(settings)
    except Refusal as refusal:
        sys.exit(f"genq api: {refusal}")
    garbage.settle()
    sys.setswitchinterval(SWITCH_SECONDS)
    log.info("api_listens", url=url_of(listener))
    Server(configuration(app), app).run([listener])


def configuration(app: Api) -> uvicorn.Config:
    """Return the configuration of uvicorn for this application."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol_class(app.base_url),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def prepare(settings: Settings) -> tuple[Api, socket.socket]:
    """Return the application and its listening socket. Raises `Refusal` if it cannot start."""
    try:
        asyncio.run(check(settings))
        app = create_app(settings)
    except (StationsFileError, UnusableDatabase) as error:
        raise Refusal(str(error)) from error
    return app, listen(settings.api_host, settings.api_port)


async def check(settings: Settings) -> None:
    store = Store(settings.store_url)
    try:
        await check_store(store)
    finally:
        await store.close()


def exit_process(sig: int, frame: FrameType | None) -> None:
    """Handle signals before uvicorn does, and after it has ended because of one."""
    del sig, frame
    sys.exit(0)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket at this address. Raises `Refusal` if there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Refusal(
            f"cannot listen on {host} port {port} ({error.strerror}); set GENQ_API_HOST and"
            " GENQ_API_PORT to a free one"
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
