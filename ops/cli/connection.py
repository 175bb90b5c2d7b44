"""The API connection of commands, and the messages for failed calls."""
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
#: In the data directory: URL and key of the genq that runs there.
FILE_NAME = "client.json"
#: Seconds for which a command retries an unreachable API.
RETRY_SECONDS = 2.0
#: Longer for commands that wait for jobs, so that they survive a restart of the API.
RETRY_SECONDS_WHILE_WAITING = 60.0

UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="GENQ_URL", help="base URL of the API", show_default=DEFAULT_URL),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="GENQ_KEY",
        help="API key; other users of this machine can see command lines",
        show_default=f"the one in .genq/{FILE_NAME}",
    ),
]


@contextmanager
def api_client(
    url: str | None, key: str | None, patience: float = RETRY_SECONDS
) -> Generator["Client"]:
    """Yield a client for the API that the options, the environment or the data directory name.

    A key found in the data directory is sent only to the URL stored with it. Raises `CliError` if
    there is no key, and for every error of the client.
    """
    from genq import Client, GenqError

    url, key = resolve_connection(url, key)
    try:
        client = Client(url, key, patience=patience)
    except ValueError as error:
        raise CliError(
            f"{error}; see --url or GENQ_URL and --key or GENQ_KEY", ExitCode.USAGE
        ) from None
    with client:
        try:
            yield client
        except GenqError as error:
            raise cli_error(error, url) from None


def resolve_connection(url: str | None, key: str | None) -> tuple[str, str]:
    """Return URL and key. Raises `CliError` if they are unknown or invalid."""
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
    """Translate a client error into a message that names the options to change."""
    from genq import NotGenq, Refused, Unanswered, Unreachable

    match error:
        case Unreachable():
            advice = "start it, or give another --url or GENQ_URL"
            message = f"the API at {url} cannot be reached: {advice} ({error})"
            return CliError(message, ExitCode.REFUSED)
        case Unanswered():
            return CliError(f"{error}; check genq list before you try again", ExitCode.REFUSED)
        case NotGenq():
            return CliError(f"{error}: check --url or GENQ_URL", ExitCode.REFUSED)
        case Refused(status=HTTPStatus.UNAUTHORIZED):
            hint = "--key or GENQ_KEY; genq keys create makes one"
            return CliError(f"the API rejected the request: {error} ({hint})", ExitCode.REFUSED)
        case _:
            return CliError(f"the API rejected the request: {error}", ExitCode.REFUSED)
