"""
`genq`: the command line.

Each module adds a group of commands by its `register`. What is heavy (Celery, the database, the web
server) is imported inside a command, so that `genq --help` answers at once.
"""

import sys
from typing import Annotated

import typer

from ops.cli import local
from ops.cli.ending import Code, Stop

HELP = """
genq takes orders for paid image, video, music and text generation, sends each to an upstream
station once, watches it to its end, and tells you what came of it.
"""

app = typer.Typer(name="genq", help=HELP, no_args_is_help=True)


@app.callback()
def genq(version: Annotated[bool, typer.Option("--version")] = False) -> None:
    del version


for module in (local,):
    module.register(app)


def main() -> None:
    """The console script. Ends the process with a `Code`; a known failure says one sentence."""
    try:
        app()
    except Stop as stop:
        typer.echo(f"genq: {stop}", err=True)
        sys.exit(stop.code)
    except KeyboardInterrupt:
        sys.exit(Code.INTERRUPTED)
