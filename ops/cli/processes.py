"""The processes of genq: `genq api`, `worker`, `flower` and `sandbox`."""
# ruff: noqa: PLC0415  (each process imports what it runs)

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.configuration import load_settings, setting_errors
from ops.cli.database import check_file, sqlite_file
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.flower_access import check_access

if TYPE_CHECKING:
    from generation.settings import Settings

PANEL = "Run genq"


def register(app: typer.Typer) -> None:
    for command in (api, worker, flower, sandbox):
        app.command(rich_help_panel=PANEL)(command)


def api() -> None:
    """Run the HTTP API.

    It listens on GENQ_API_HOST and GENQ_API_PORT. It needs the database; the broker may be
    unreachable.
    """
    settings = checked_settings()

    from api import server

    server.run(settings)


def worker() -> None:
    """Run a worker: it submits jobs to their stations, polls them, and sends webhooks.

    Run as many as you like, on any machines that share the database and the broker. On SIGTERM it
    finishes the submits in progress first.
    """
    checked_settings()

    from worker import app

    app.main()


def flower(
    url_prefix: Annotated[
        str | None,
        typer.Option(
            envvar="GENQ_FLOWER_URL_PREFIX",
            metavar="PATH",
            help="serve below this path, for a reverse proxy that keeps it",
        ),
    ] = None,
) -> None:
    """Run Flower, the read-only page for operators: every job is a row.

    It listens on GENQ_FLOWER_HOST and GENQ_FLOWER_PORT. GENQ_FLOWER_BASIC_AUTH (user:password) is
    required unless only this machine can reach it; without it Flower's JSON API is disabled.
    """
    settings = load_settings()
    check_access(settings)

    from ops.cli import flower_page

    with reporting_bind_errors(settings.flower_host, settings.flower_port, "set GENQ_FLOWER_PORT"):
        flower_page.serve(settings, url_prefix)


def sandbox(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port to listen on; 0 for any free one")] = 8900,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0, help="how many times faster than real time tasks run", show_default="1"
        ),
    ] = None,
    look_fail_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="share of polls that fail")
    ] = None,
    look_hang_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="share of polls that hang for a while")
    ] = None,
) -> None:
    """Run a free station that behaves like real ones and returns test files.

    Send jobs there with GENQ_STATION_URL=http://127.0.0.1:8900 and any GENQ_STATION_KEY.
    GENQ_SANDBOX_* variables set everything that has no option here.
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
        raise CliError("; ".join(setting_errors(error, "GENQ_SANDBOX_")), ExitCode.USAGE) from None
    if unknown := unknown_sandbox_settings(SandboxConfig.model_fields, os.environ):
        raise CliError("; ".join(unknown), ExitCode.USAGE)
    with reporting_bind_errors(host, port, "give another --port"):
        serve(config, host, port)


def checked_settings() -> "Settings":
    """Return the settings of API and workers. Raises `CliError` if they cannot work."""
    from generation.stations.config_file import StationsFileError, load_stations

    settings = load_settings()
    check_file(sqlite_file(settings))
    try:
        load_stations(settings)
    except StationsFileError as error:
        raise CliError(str(error)) from None
    return settings


@contextmanager
def reporting_bind_errors(host: str, port: int, advice: str) -> Generator[None]:
    """Raise `CliError` if the address cannot be listened on."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise CliError(f"cannot listen on {host}:{port} ({reason}): {advice}") from None
