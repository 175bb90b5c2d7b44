"""`genq up` and `genq demo`: the whole of genq on one machine."""
# ruff: noqa: PLC0415  (commands import the stack when they run)

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.configuration import load_settings
from ops.cli.exit_codes import ExitCode, warn

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "Run genq"


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PANEL)(up)
    app.command(rich_help_panel=PANEL)(demo)


def up() -> None:
    """Run everything on this machine: broker, database, API, worker and Flower.

    Ctrl-C stops it.

    Jobs go to your stations (stations.toml, or GENQ_STATION_URL and GENQ_STATION_KEY). Without
    stations they go to the sandbox, which costs nothing. Data is stored in GENQ_DATA_DIR, by
    default .genq.
    """
    settings = load_settings()

    from ops.local.up import up as run_up

    run_stack(lambda console: run_up(settings, console))


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="stop at the end; exit code 1 if a check failed")
    ] = False,
) -> None:
    """Run everything on this machine and submit a few jobs to the free sandbox station.

    Watches the jobs and checks genq's promises. Runs until Ctrl-C unless --once is given.
    """
    settings = load_settings()

    from ops.local.demo import demo as run_demo

    run_stack(lambda console: run_demo(settings, console, once=once))


def run_stack(work: Callable[["Console"], Coroutine[Any, Any, None]]) -> None:
    """Run a stack until it ends. Raises `typer.Exit` with the right code."""
    from ops.local.terminal import hangup_safe_console
    from ops.stack.stack_errors import Interrupted, StackEnded

    console = hangup_safe_console()
    os.umask(0o077)  # databases and logs are readable by their owner only
    try:
        asyncio.run(work(console))
    except Interrupted as end:
        console.print("Everything has stopped.")
        raise typer.Exit(end.exit_code) from None
    except StackEnded as end:
        warn(str(end))
        raise typer.Exit(end.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
