"""When a signed URL stops working, read from the URL itself."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

_DIGITS = re.compile(r"[0-9]{1,12}")


def expiry_of(url: str) -> datetime | None:
    """
    The end of a URL signed the way Azure (`se`), S3 (`X-Amz-Date`, `X-Amz-Expires`) or a CDN
    (`Expires`, `exp`) does; None for any other.
    """
    query = _query(url)
    if stated := _iso(query.get("se", "")):
        return stated
    signed, life = query.get("x-amz-date", ""), query.get("x-amz-expires", "")
    if signed and _DIGITS.fullmatch(life):
        return _iso(signed, timedelta(seconds=min(int(life), 10**9)))
    stamp = query.get("expires") or query.get("exp") or ""
    return _moment(int(stamp)) if _DIGITS.fullmatch(stamp) else None


def _query(url: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=50)
    except ValueError:
        return {}
    return {name.lower(): value for name, value in pairs}


def _iso(value: str, later: timedelta = timedelta(0)) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) + later if found.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None


def _moment(stamp: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
