"""Which API a command calls, and with which key."""
# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ops.cli.configuration import load_settings
from ops.cli.ending import Code, Stop

if TYPE_CHECKING:
    from ops.cli.client import Api

USUAL_URL = "http://127.0.0.1:8000"
#: In the data directory: the connection to the genq that runs there.
FILE_NAME = "client.json"

UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="GENQ_URL", help="where the API is", show_default=USUAL_URL),
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


def api_of(url: str | None, key: str | None) -> "Api":
    """
    The API that is meant: what is given, else what the genq that runs in the data directory has
    written down. Its key is sent to no other URL. Raises `Stop` where there is no key.
    """
    from ops.cli.client import Api, Connection

    if url is None or key is None:
        known = written_down(load_settings().data_dir / FILE_NAME)
        known_url = str(known.get("url", USUAL_URL))
        url = url or known_url
        if key is None and url.rstrip("/") == known_url.rstrip("/"):
            key = known.get("key")
    if not url.startswith(("http://", "https://")):
        raise Stop("--url or GENQ_URL must begin with http:// or https://", Code.USAGE)
    if not key:
        raise Stop(f"no API key for {url}: set GENQ_KEY, or give --key", Code.USAGE)
    if not (key.isascii() and key.isprintable()):
        raise Stop("the API key holds characters that no key has: copy it again", Code.USAGE)
    return Api(Connection(url, key))


def written_down(file: Path) -> dict[str, Any]:
    """`url`, `key` and `webhook_secret`; empty where there is no such file."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Stop(
            f"{file} cannot be read ({error}): delete it, or set GENQ_URL and GENQ_KEY"
        ) from None
    if not isinstance(document, dict):
        raise Stop(f"{file} is not a JSON object: delete it, or set GENQ_URL and GENQ_KEY")
    return cast(dict[str, Any], document)
