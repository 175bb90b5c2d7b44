"""
When the URL of a file stops working.

A URL that was signed says so itself: with an expiry in seconds since 1970, or, in Amazon's way,
with the time of signing and a life in seconds. The vendor's own URLs say nothing; it deletes its
files 30 days after the task's end, which its answers date in `updated_at` or `update_time`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from generation.providers.kling import wire

LIFE = timedelta(days=30)

#: Amazon allows a week; other stores a little more.
_LONGEST_LIFE_SECONDS = 366 * 24 * 3600
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


def signed_until(url: str) -> datetime | None:
    """The end that a signed URL states; None where it states none."""
    try:
        query = {name.lower(): values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    except ValueError:
        return None
    life = query.get("x-amz-expires", "")
    if re.fullmatch("[0-9]{1,8}", life):
        return _signed_at(query.get("x-amz-date", ""), min(int(life), _LONGEST_LIFE_SECONDS))
    return moment(query.get("expires")) or moment(query.get("x-expires"))


def _signed_at(stamp: str, life_seconds: int) -> datetime | None:
    try:
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return signed + timedelta(seconds=life_seconds) if _EARLIEST <= signed <= _LATEST else None
