"""`genq health`: is it alive? For Docker, Kubernetes and their like."""
# ruff: noqa: PLC0415  (a check is run every few seconds: it loads what it needs and no more)

import time
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import typer

from ops.cli.exit_codes import CliError
from ops.cli.running_stack import local_settings

if TYPE_CHECKING:
    from generation.settings import Settings

health_app = typer.Typer(
    help="Say whether a process is alive: exit code 0 if it is, for container health checks.",
    no_args_is_help=True,
)

#: A worker that has not ticked for this long is not well.
STALE = timedelta(seconds=30)
ANSWER_WITHIN_SECONDS = 3
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def register(app: typer.Typer) -> None:
    app.add_typer(health_app, name="health", rich_help_panel="Look after it")


@health_app.command()
def worker() -> None:
    """
    Whether a worker of this machine (or container) has looked for due jobs in the last 30 s.

    It has not while it cannot reach the database.
    """
    from worker.runtime.heartbeat import path

    settings, _ = local_settings()
    file = path(settings)
    try:
        age = time.time() - file.stat().st_mtime
    except FileNotFoundError:
        raise CliError(
            "no worker with these settings has ever ticked here: start genq worker"
        ) from None
    if age > STALE.total_seconds():
        raise CliError(f"no worker has ticked for {age:.0f} s: see the worker's log")
    typer.echo(f"a worker ticked {max(age, 0):.1f} s ago")


@health_app.command()
def api() -> None:
    """Whether the API of these settings answers on this machine."""
    settings, _ = local_settings()
    status = healthz(settings)
    if status != HTTPStatus.OK:
        raise CliError(f"the API answers HTTP {status}: see its log")
    typer.echo("the API answers")


def healthz(settings: "Settings") -> int:
    """The HTTP status of the API's own check, asked for without any proxy."""
    from http.client import HTTPConnection, HTTPException

    host = EVERYWHERE.get(settings.api_host, settings.api_host)
    connection = HTTPConnection(host, settings.api_port, timeout=ANSWER_WITHIN_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise CliError(
            f"the API does not answer on {host}:{settings.api_port} ({error}): start genq api"
        ) from None
    finally:
        connection.close()
