"""The command line `genq`.

Each module adds its commands in a function `register`. Commands import heavy modules (Celery, the
database, the web server) when they run, so that `genq --help` answers at once.
"""
# ruff: noqa: PLC0415  (looking up the version takes longer than printing the help)

from typing import Annotated

import typer

from generation import gc_tuning
from ops.cli import (
    batches,
    check,
    deliveries,
    endpoint_actions,
    endpoints,
    erase,
    exit_codes,
    explain,
    health,
    job_input,
    jobs,
    keys,
    listen,
    local,
    migrate,
    operations,
    parse,
    processes,
    resolve,
    submit,
    wait,
    webhook_secrets,
)

HELP = """
A queue for paid image, video, music and text generation.

genq stores a job, submits it to an upstream station once, polls it until it ends, and reports the
result. To try it at no cost: genq demo. Settings are GENQ_… environment variables or lines of a
.env file.

Exit codes: 0 success, 1 failure, 2 invalid command line, 3 the API is unreachable or rejected the
request, 4 timeout, 130 Ctrl-C.
"""

app = typer.Typer(
    name="genq",
    help=HELP,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    # Unexpected errors end with Python's own traceback, which shows no variable values.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for group in (
    local,
    submit,
    wait,
    jobs,
    explain,
    job_input,
    resolve,
    erase,
    batches,
    operations,
    listen,
    endpoints,
    endpoint_actions,
    deliveries,
    processes,
    migrate,
    keys,
    webhook_secrets,
    check,
    health,
    parse,
):
    group.register(app)


def show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"genq {version('genq')}")
        raise typer.Exit


@app.callback()
def genq(
    show: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    del show


def main() -> None:
    """Entry point of the console script. Exits with an `ExitCode`."""
    gc_tuning.ease()
    exit_codes.run(app)
