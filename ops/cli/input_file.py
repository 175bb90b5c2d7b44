"""The option `--input FILE`: input fields as a JSON object."""

import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.key_value_arguments import read_json

InputOption = Annotated[
    str | None,
    typer.Option("--input", metavar="FILE", help="a JSON object with fields; - for stdin"),
]


def read_input(file: str | None) -> dict[str, Any]:
    """Read the object from a file, or from standard input for `-`. Raises `CliError`."""
    if file is None:
        return {}
    source = "standard input" if file == "-" else file
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        document = read_json(content)
    except OSError as error:
        raise CliError(f"{source} cannot be read: {error.strerror}", ExitCode.USAGE) from None
    except ValueError as error:
        raise CliError(f"{source} is not JSON: {error}", ExitCode.USAGE) from None
    if not isinstance(document, dict):
        raise CliError(
            f'{source} is not a JSON object; for example {{"prompt": "a cat"}}', ExitCode.USAGE
        )
    return cast(dict[str, Any], document)
