"""`--idempotency-key NAME`: what makes an order that is sent again the same order."""

import re

import typer

#: What an HTTP header may hold.
KEY = re.compile(r"[!-~]{1,255}")


def checked_idempotency_key(name: str | None) -> str | None:
    """Raises `BadParameter` for a name that cannot be sent."""
    if name is not None and not KEY.fullmatch(name):
        raise typer.BadParameter("must have 1 to 255 visible ASCII characters, and no spaces")
    return name
