"""A command that runs a stack of the small programs, as a real one would: `-m`, folder, names."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import typer
import uvloop

from ops.stack.program import Program
from ops.stack.stack_errors import StackEnded
from ops.stack.supervisor import Supervisor
from tests.stack.programs import argv, is_ready

PATIENCE = timedelta(seconds=60)


async def run(folder: Path, programs: list[str]) -> None:
    """Each program is a name and its habits, joined by commas."""
    async with Supervisor(folder / "logs", terminal=sys.stdout) as stack:
        for program in programs:
            name, *habits = program.split(",")
            await stack.start(
                Program(
                    name=name,
                    argv=argv(name, folder, *habits),
                    ready=is_ready(name, folder),
                    stop_timeout=PATIENCE,
                )
            )
        (folder / "up").touch()
        await stack.forever()


def main(folder: Path, programs: list[str], fast_loop: bool = False) -> None:
    try:
        (uvloop.run if fast_loop else asyncio.run)(run(folder, programs))
    except StackEnded as end:
        typer.echo(f"the stack ended: {end}")
        raise typer.Exit(end.exit_code) from None


if __name__ == "__main__":
    typer.run(main)
