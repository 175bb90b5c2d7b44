"""Durations as people write them: in settings, headers, request bodies and on the command line."""

import re
from datetime import timedelta

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)?")


def parse_duration(text: str, *, needs_unit: bool = False) -> timedelta | None:
    """Read `500ms`, `30s`, `5m`, `1.5h` and `1d`; a number without a unit is seconds.

    Returns None for any other text, and for a number without a unit where `needs_unit`.
    """
    found = _DURATION.fullmatch(text)
    if found is None or (needs_unit and found[2] is None):
        return None
    return float(found[1]) * UNITS[found[2] or "s"]
