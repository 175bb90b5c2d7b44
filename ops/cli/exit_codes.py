"""Exit codes, and the one-sentence error message a failed command ends with."""

import sys
from collections.abc import Sequence
from enum import IntEnum
from io import TextIOWrapper
from typing import Any, NoReturn, cast

import typer


class ExitCode(IntEnum):
    """The exit codes of `genq`."""

    OK = 0
    #: A job did not succeed, or the command could not do its work.
    FAILED = 1
    #: The command line is invalid.
    USAGE = 2
    #: The API is unreachable or rejected the request.
    REFUSED = 3
    #: `--timeout` passed before the jobs ended.
    TIMED_OUT = 4
    #: Ctrl-C. Long-running processes exit with OK instead.
    INTERRUPTED = 130


class CliError(Exception):
    """Ends the command. The message is one sentence that says what to change."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


def warn(message: str) -> None:
    """Print a message on standard error; the command continues."""
    typer.echo(f"genq: {message}", err=True)


def run(app: typer.Typer) -> NoReturn:
    """Run the command line and exit. Known errors end without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal cannot show become question marks.
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
    """Print a usage error; nothing if typer has printed the help already."""
    message = error.format_message().replace("Value error, ", "").strip().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "genq"
    if message:
        warn(f"{message}; see {command} --help")


def check_encoding(arguments: Sequence[str]) -> None:
    """Raise `CliError` for arguments that cannot be encoded as UTF-8."""
    try:
        "".join(arguments).encode()
    except UnicodeEncodeError:
        raise CliError(
            "the command line is not valid UTF-8: check its text and LANG", ExitCode.USAGE
        ) from None
