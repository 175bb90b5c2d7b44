"""The option `--idempotency-key NAME`."""

import re

import typer

#: Characters an HTTP header may hold.
KEY = re.compile(r"[!-~]{1,255}")


def checked_idempotency_key(name: str | None) -> str | None:
    """Return the key. Raises `BadParameter` if it cannot be sent as an HTTP header."""
    if name is not None and not KEY.fullmatch(name):
        raise typer.BadParameter("must have 1 to 255 visible ASCII characters, and no spaces")
    return name
