"""
`genq`: the command line.

Each module adds a group of commands by its `register`. What is heavy (Celery, the database, the web
server) is loaded inside a command, so that `genq --help` answers at once.
"""
# ruff: noqa: PLC0415  (so is the version, which takes longer to find than the help to print)

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

genq takes an order, sends it to an upstream station once, watches it to its end, and tells you what
came of it. Try it at no cost: genq demo. Settings are GENQ_… environment variables, or lines of a
file .env.

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 the API cannot be reached or refuses, 4 timed
out, 130 Ctrl-C.
"""

app = typer.Typer(
    name="genq",
    help=HELP,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    # What nobody foresaw ends with Python's own traceback, which shows no values.
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
    """The console script. It ends with a code of `ops.cli.exit_codes.ExitCode`."""
    gc_tuning.ease()
    exit_codes.run(app)
