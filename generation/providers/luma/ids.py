"""Ids as Luma's vendors and relays give them."""

import re
from typing import Any

from generation.providers.kit import json_reader as wire

#: No step of a path that leads elsewhere, and no sentence.
_IDENTIFIER = re.compile(r"[\w:~@=+-][\w.:~@=+-]{0,199}")


def identifier(value: Any) -> str:
    """An id that fits every store and every path; "" for anything else."""
    candidate = wire.text(value)
    return candidate if _IDENTIFIER.fullmatch(candidate) else ""
