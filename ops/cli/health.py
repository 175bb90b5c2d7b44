"""`genq health`: liveness checks for Docker, Kubernetes and similar."""
# ruff: noqa: PLC0415  (a check runs every few seconds and imports only what it needs)

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
    help="Check that a process is alive (exit code 0), for container health checks.",
    no_args_is_help=True,
)

#: A worker that has not ticked for this long is unhealthy.
STALE = timedelta(seconds=30)
ANSWER_WITHIN_SECONDS = 3
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def register(app: typer.Typer) -> None:
    app.add_typer(health_app, name="health", rich_help_panel="Operate")


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
    """Check that the API of these settings answers on this machine."""
    settings, _ = local_settings()
    status = healthz(settings)
    if status != HTTPStatus.OK:
        raise CliError(f"the API answers HTTP {status}: see its log")
    typer.echo("the API answers")


def healthz(settings: "Settings") -> int:
    """Return the HTTP status of the API's `/healthz`, asked without a proxy."""
    from http.client import HTTPConnection, HTTPException

    host = WILDCARD_HOSTS.get(settings.api_host, settings.api_host)
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
