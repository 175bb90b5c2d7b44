"""How a command ends: with one of a few exit codes, and one sentence where it went wrong."""

import sys
from collections.abc import Sequence
from enum import IntEnum
from io import TextIOWrapper
from typing import Any, NoReturn, cast

import typer


class ExitCode(IntEnum):
    """What a command's exit code means."""

    OK = 0
    #: A job did not succeed, or the command could not do its work.
    FAILED = 1
    #: The command line is wrong.
    USAGE = 2
    #: The API cannot be reached, or refuses.
    REFUSED = 3
    #: `--timeout` passed before the jobs had ended.
    TIMED_OUT = 4
    #: Ctrl-C. A process that runs until it is told to stop ends with OK instead.
    INTERRUPTED = 130


class CliError(Exception):
    """The command ends here. The message is one sentence that says what to change."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


def warn(message: str) -> None:
    """Say on standard error what the user should know although the command goes on."""
    typer.echo(f"genq: {message}", err=True)


def run(app: typer.Typer) -> NoReturn:
    """Run the command line and end the process: never with a traceback for what is known."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal's encoding lacks is shown as a question mark.
        cast(TextIOWrapper, stream).reconfigure(errors="replace")
    try:
        check_encoding(sys.argv)
        code: Any = app(standalone_mode=False)
    except CliError as stop:
        warn(str(stop))
        code = stop.code
    except typer.TyperException as error:
        warn_of_usage(error)
        code = ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        code = ExitCode.INTERRUPTED
    sys.exit(code or ExitCode.OK)


def warn_of_usage(error: typer.TyperException) -> None:
    """What is wrong with the command line; nothing where the help has been printed instead."""
    message = error.format_message().replace("Value error, ", "").strip().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "genq"
    if message:
        warn(f"{message}; see {command} --help")


def check_encoding(arguments: Sequence[str]) -> None:
    """Raises `CliError` for arguments that could be sent to nobody."""
    try:
        "".join(arguments).encode()
    except UnicodeEncodeError:
        raise CliError(
            "the command line is not UTF-8: look at it, or at LANG", ExitCode.USAGE
        ) from None
