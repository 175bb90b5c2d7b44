"""The processes genq is made of: `genq api`, `worker`, `flower` and `sandbox`."""
# ruff: noqa: PLC0415  (Celery, Flower and the web server are loaded by the process that runs them)

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.configuration import complaints, load_settings
from ops.cli.database import check_file, sqlite_file
from ops.cli.ending import Code, Stop
from ops.cli.flower_access import check_access

if TYPE_CHECKING:
    from generation.settings import Settings

PANEL = "Run genq"


def register(app: typer.Typer) -> None:
    for command in (api, worker, flower, sandbox):
        app.command(rich_help_panel=PANEL)(command)


def api() -> None:
    """
    Run the front door: the HTTP API that takes orders.

    GENQ_API_HOST and GENQ_API_PORT say where it listens. It needs the database; the broker may be
    away.
    """
    settings = room_settings()

    from api import server

    server.run(settings)


def worker() -> None:
    """
    Run a worker: it sends jobs to their stations, watches them, and tells their callers.

    Run as many as you like, on as many machines as share the database and the broker. Told to stop
    (SIGTERM), it finishes what it is sending first.
    """
    room_settings()

    from worker import app

    app.main()


def flower(
    url_prefix: Annotated[
        str | None,
        typer.Option(
            envvar="GENQ_FLOWER_URL_PREFIX",
            metavar="PATH",
            help="serve below this path, for a proxy that passes it on",
        ),
    ] = None,
) -> None:
    """
    Run Flower, the operators' page: every job is a row, and nothing can be changed there.

    GENQ_FLOWER_HOST and GENQ_FLOWER_PORT say where it listens. GENQ_FLOWER_BASIC_AUTH
    (user:password) is required unless only this machine can reach it. Without it, Flower keeps its
    JSON API shut.
    """
    settings = load_settings()
    check_access(settings)

    from ops.cli import flower_page

    with listening(settings.flower_host, settings.flower_port, "set GENQ_FLOWER_PORT"):
        flower_page.serve(settings, url_prefix)


def sandbox(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port to listen on; 0 for any free one")] = 8900,
    speed: Annotated[
        float | None,
        typer.Option(min=0, help="how many times faster than life tasks run", show_default="1"),
    ] = None,
    look_fail_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="the share of looks that fail")
    ] = None,
    look_hang_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="the share of looks that hang for a while")
    ] = None,
) -> None:
    """
    Run a station that costs nothing: it speaks as real ones do, and draws test pictures.

    Send jobs there with GENQ_STATION_URL=http://127.0.0.1:8900 and any GENQ_STATION_KEY.
    GENQ_SANDBOX_* variables set what has no option here.
    """
    from pydantic import ValidationError

    from generation.setting_names import unknown_sandbox_settings
    from ops.sandbox.config import SandboxConfig
    from ops.sandbox.server import serve

    given = {"speed": speed, "look_fail_rate": look_fail_rate, "look_hang_rate": look_hang_rate}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        config = SandboxConfig(**changes)
    except ValidationError as error:
        raise Stop("; ".join(complaints(error, "GENQ_SANDBOX_")), Code.USAGE) from None
    if unknown := unknown_sandbox_settings(SandboxConfig.model_fields, os.environ):
        raise Stop("; ".join(unknown), Code.USAGE)
    with listening(host, port, "give another --port"):
        serve(config, host, port)


def room_settings() -> "Settings":
    """The settings of the API and the workers. Raises `Stop` where either could not work."""
    from generation.stations.config_file import StationsFileError, load_stations

    settings = load_settings()
    check_file(sqlite_file(settings))
    try:
        load_stations(settings)
    except StationsFileError as error:
        raise Stop(str(error)) from None
    return settings


@contextmanager
def listening(host: str, port: int, advice: str) -> Generator[None]:
    """Raises `Stop` where the address cannot be listened on."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise Stop(f"cannot listen on {host}:{port} ({reason}): {advice}") from None
