"""Cursors of lists: opaque to callers, who give them back unchanged."""

import base64
import binascii
import re


def encode_cursor(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, form: re.Pattern[str]) -> re.Match[str] | None:
    """Return the match of the position that the cursor holds; None for any other text."""
    try:
        position = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return form.fullmatch(position)
