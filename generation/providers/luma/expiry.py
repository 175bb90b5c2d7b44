"""When a signed URL stops working, read from the URL itself."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

_DIGITS = re.compile(r"[0-9]{1,12}")


def expiry_of(url: str) -> datetime | None:
    """
    The end of a URL signed the way S3 and R2 (`X-Amz-Date`, `X-Amz-Expires`), Google
    (`X-Goog-…`) or CloudFront (`Expires`) do; None for any other.
    """
    query = _query(url)
    for family in ("x-amz", "x-goog"):
        signed, life = query.get(f"{family}-date", ""), query.get(f"{family}-expires", "")
        if signed and _DIGITS.fullmatch(life):
            return _later(signed, int(life))
    stamp = query.get("expires", "")
    return _moment(int(stamp)) if _DIGITS.fullmatch(stamp) else None


def _query(url: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=50)
    except ValueError:
        return {}
    return {name.lower(): value for name, value in pairs}


def _later(signed: str, seconds: int) -> datetime | None:
    try:
        begin = datetime.strptime(signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return begin + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def _moment(stamp: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
