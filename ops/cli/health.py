"""`genq health`: liveness checks for Docker, Kubernetes and similar."""
# ruff: noqa: PLC0415  (a check runs every few seconds and imports only what it needs)

import asyncio
import socket
import time
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import typer

from ops.cli.exit_codes import CliError, warn
from ops.cli.running_stack import local_settings

if TYPE_CHECKING:
    from generation.broker import WorkerReport
    from generation.settings import Settings

health_app = typer.Typer(
    help="Check that a process is alive (exit code 0), for container health checks.",
    no_args_is_help=True,
)

#: A worker that has not ticked for this long is unhealthy.
STALE = timedelta(seconds=30)
ANSWER_WITHIN_SECONDS = 3
BROKER_TIMEOUT_SECONDS = 1
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def register(app: typer.Typer) -> None:
    app.add_typer(health_app, name="health", rich_help_panel="Operate")


@health_app.command()
def worker() -> None:
    """Check that a worker of this machine (or container) has polled the database in the last 30 s.

    It fails while the worker cannot reach the database. Submits or events that were switched off by
    Celery's remote control are a warning; the exit code stays 0.
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
    for worker_report in asyncio.run(local_reports(settings)):
        if worker_report.switched_off:
            parts = " and ".join(worker_report.switched_off)
            warn(
                f"{parts} of {worker_report.name} are switched off by Celery's remote control:"
                " restart this worker to switch them on"
            )


async def local_reports(settings: "Settings") -> "Sequence[WorkerReport]":
    """Return the reports of this machine's workers; none while the broker is unreachable."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

    from generation.broker import load_reports

    redis = Redis.from_url(
        settings.redis_url,
        socket_timeout=BROKER_TIMEOUT_SECONDS,
        socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        reports = await load_reports(redis)
    except (RedisError, OSError):
        return ()
    finally:
        await redis.aclose()
    return [report for report in reports if report.name.endswith(f"@{socket.gethostname()}")]


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
