"""Which API a command calls, with which key, and what is said when that fails."""
# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.configuration import load_settings
from ops.cli.exit_codes import CliError, ExitCode

if TYPE_CHECKING:
    from genq import Client, GenqError

DEFAULT_URL = "http://127.0.0.1:8000"
#: In the data directory: the connection to the genq that runs there.
FILE_NAME = "client.json"
#: For how many seconds a command goes on asking an API that is away.
RETRY_SECONDS = 2.0
#: A command that waits for jobs waits for a restart of the API as well.
RETRY_SECONDS_WHILE_WAITING = 60.0

UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="GENQ_URL", help="where the API is", show_default=DEFAULT_URL),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="GENQ_KEY",
        help="the API key; on the command line, others on this machine can see it",
        show_default=f"the one in .genq/{FILE_NAME}",
    ),
]


@contextmanager
def api_client(
    url: str | None, key: str | None, patience: float = RETRY_SECONDS
) -> Generator["Client"]:
    """
    A client of the API that is meant: what is given, else what the genq that runs in the data
    directory has written down. Its key is sent to no other URL. Raises `CliError` where there is no
    key, and for every error of the client's.
    """
    from genq import Client, GenqError

    url, key = resolve_connection(url, key)
    try:
        client = Client(url, key, patience=patience)
    except ValueError as error:
        raise CliError(
            f"{error}; see --url or GENQ_URL, and --key or GENQ_KEY", ExitCode.USAGE
        ) from None
    with client:
        try:
            yield client
        except GenqError as error:
            raise cli_error(error, url) from None


def resolve_connection(url: str | None, key: str | None) -> tuple[str, str]:
    """URL and key. Raises `CliError` where they are not known or cannot be any."""
    if not (url and key):
        from genq.local import connection

        try:
            url, key = connection(url, key, load_settings().data_dir / FILE_NAME)
        except ValueError as error:
            raise CliError(str(error)) from None
    if not key:
        raise CliError(f"no API key for {url}: set GENQ_KEY, or give --key", ExitCode.USAGE)
    return url.rstrip("/"), key


def cli_error(error: "GenqError", url: str) -> CliError:
    """The same in the words of the command line."""
    from genq import NotGenq, Refused, Unanswered, Unreachable

    match error:
        case Unreachable():
            words = f"the API at {url} cannot be reached: start it, or give another --url or"
            return CliError(f"{words} GENQ_URL ({error})", ExitCode.REFUSED)
        case Unanswered():
            return CliError(f"{error}; look at genq list before you try again", ExitCode.REFUSED)
        case NotGenq():
            return CliError(f"{error}: check --url or GENQ_URL", ExitCode.REFUSED)
        case Refused(status=HTTPStatus.UNAUTHORIZED):
            hint = "--key or GENQ_KEY; genq keys create makes one"
            return CliError(f"the API refuses: {error} ({hint})", ExitCode.REFUSED)
        case _:
            return CliError(f"the API refuses: {error}", ExitCode.REFUSED)
