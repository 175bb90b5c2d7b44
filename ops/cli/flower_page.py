"""Runs Flower in this process: password-protected, read-only and with bounded memory."""

import logging
import os
import signal
from types import FrameType
from typing import Any, NoReturn, cast

from flower import urls
from flower.app import Flower
from flower.options import default_options

from generation.logs import configure_logging
from generation.queue import celery_app
from generation.settings import Settings
from ops.cli.exit_codes import ExitCode

#: About 11 kB of memory each. The database has all jobs.
MAX_TASKS = 20_000
COLUMNS = "name,uuid,state,args,result,received,started,runtime,worker"


def serve(settings: Settings, url_prefix: str | None) -> None:
    """Run Flower until SIGTERM or Ctrl-C.

    `/healthcheck` and `/metrics` need no password.

    Flower's own configuration (FLOWER_* variables, flowerconfig.py) is ignored. Raises `OSError` if
    it cannot listen.
    """
    configure_logging(settings)
    # Log failed requests but not every health check.
    logging.getLogger("tornado.access").setLevel(logging.WARNING)
    set_options(settings, url_prefix)
    page: Any = cast(Any, Flower)(
        capp=celery_app(settings), options=default_options, **page_settings(url_prefix)
    )
    page.start_http_server()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, exit_now)
    page.start()


def exit_now(number: int, frame: FrameType | None) -> NoReturn:
    """Exit at once with code 0.

    There is nothing to save, and Flower's threads would block the exit while the broker is
    unreachable.
    """
    del number, frame
    os._exit(ExitCode.OK)


def set_options(settings: Settings, url_prefix: str | None) -> None:
    options = cast(Any, default_options)
    auth = settings.flower_basic_auth
    options.address = settings.flower_host
    options.port = settings.flower_port
    options.basic_auth = [auth.get_secret_value()] if auth else []
    options.max_tasks = MAX_TASKS
    options.tasks_columns = COLUMNS
    options.read_only = True
    if url_prefix:
        options.url_prefix = url_prefix.strip("/")


def page_settings(url_prefix: str | None) -> dict[str, Any]:
    """Return Tornado settings whose links begin with the URL prefix."""
    found: dict[str, Any] = dict(urls.settings)
    if url_prefix:
        for name in ("login_url", "static_url_prefix"):
            found[name] = f"/{url_prefix.strip('/')}{found[name]}"
    return found
