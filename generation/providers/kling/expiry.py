"""When the vendor's own URLs stop working.

They are not signed and say nothing; the vendor deletes its files 30 days after the task's end,
which its answers date in `updated_at` or `update_time`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from generation.providers.kit import json_reader as wire

LIFE = timedelta(days=30)

_MOMENT = re.compile(r"[0-9]{10,13}")
_EARLIEST, _LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def moment(value: Any) -> datetime | None:
    """A time in seconds or milliseconds since 1970; None where it is no plausible one."""
    said = wire.text(value)
    if not _MOMENT.fullmatch(said):
        return None
    milliseconds = int(said) * (1 if len(said) > 10 else 1000)
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return time if _EARLIEST <= time <= _LATEST else None


def deleted_at(task: Mapping[str, Any]) -> datetime | None:
    """When the vendor deletes the files of a finished task; None where the task is not dated."""
    ended = moment(task.get("updated_at")) or moment(task.get("update_time"))
    return ended + LIFE if ended else None
