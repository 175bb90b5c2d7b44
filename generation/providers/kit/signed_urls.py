"""When a signed URL stops working, read from the URL itself."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

#: Ends that are not between these are misread.
_EARLIEST, _LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LIFE = re.compile(r"[0-9]{1,8}")
_SECONDS, _MILLISECONDS = re.compile(r"[0-9]{10}"), re.compile(r"[0-9]{13}")
#: Discord: seconds in eight hex digits.
_HEX_SECONDS = re.compile(r"[0-9a-f]{8}", re.IGNORECASE)
_SIGNERS = ("x-amz", "x-goog")
#: What stores and CDNs call the moment of the end.
_NAMES = ("expires", "x-expires", "expire", "exp")


def signed_until(url: str) -> datetime | None:
    """Return when a signed URL expires; None if it is not signed in a known form.

    Known are Amazon and Google (`X-Amz-…`, `X-Goog-…`), Azure (`se`), Discord (`ex`) and CDNs
    (`Expires`, `exp`).
    """
    query = _query(url)
    found = (
        *(_begun(query.get(f"{by}-date"), query.get(f"{by}-expires")) for by in _SIGNERS),
        _iso(query.get("se", "")),
        *(_counted(query.get(name, "")) for name in _NAMES),
        _hexadecimal(query.get("ex", "")),
    )
    return next((end for end in found if end and _EARLIEST <= end <= _LATEST), None)


def _query(url: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=50)
    except ValueError:
        return {}
    return {name.lower(): value for name, value in pairs}


def _begun(signed: str | None, life: str | None) -> datetime | None:
    if not signed or not life or not _LIFE.fullmatch(life):
        return None
    try:
        begin = datetime.strptime(signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return begin + timedelta(seconds=int(life))
    except (ValueError, OverflowError):
        return None


def _iso(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _counted(value: str) -> datetime | None:
    if _SECONDS.fullmatch(value):
        return _EPOCH + timedelta(seconds=int(value))
    if _MILLISECONDS.fullmatch(value):
        return _EPOCH + timedelta(milliseconds=int(value))
    return None


def _hexadecimal(value: str) -> datetime | None:
    return _EPOCH + timedelta(seconds=int(value, 16)) if _HEX_SECONDS.fullmatch(value) else None
