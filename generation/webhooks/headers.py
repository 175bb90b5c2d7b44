"""Headers that callers add to their webhooks."""

import re
from collections.abc import Mapping

MAX_HEADERS = 20
MAX_VALUE_CHARACTERS = 2000
#: Shown instead of a value that looks like a secret.
MASK = "********"

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
#: Visible ASCII and spaces, which every server accepts.
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
#: Headers of a connection (RFC 9110, 7.6.1), of the framing of messages, and our own.
_RESERVED = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "proxy-authenticate", "proxy-authorization", "host", "expect", "content-length",
        "content-type", "content-encoding", "accept-encoding", "user-agent", "traceparent",
        "tracestate", "forwarded", "via", "cookie", "set-cookie",
    }
)  # fmt: skip
_RESERVED_PREFIXES = ("webhook-", "svix-", "x-forwarded-", "proxy-", "sec-", "genq-")
_SECRET_NAME = re.compile(r"auth|token|secret|key|pass|signature|credential|session", re.IGNORECASE)


class UnusableHeader(ValueError):
    """A header that cannot be sent. The message names it and says what to change."""


def check_header(name: str, value: str) -> None:
    """Raise `UnusableHeader`, without quoting the value, for a header that cannot be sent."""
    lower = name.lower()
    if not _NAME.fullmatch(name):
        raise UnusableHeader("a header's name has 1 to 100 letters, digits and hyphens")
    if lower in _RESERVED or lower.startswith(_RESERVED_PREFIXES):
        raise UnusableHeader(f"{name} is set by genq or by the connection; choose another name")
    if len(value) > MAX_VALUE_CHARACTERS or not _VALUE.fullmatch(value):
        raise UnusableHeader(
            f"the value of {name} must have 1 to {MAX_VALUE_CHARACTERS} visible ASCII characters"
        )
    if value == MASK:
        raise UnusableHeader(f"the value of {name} is what is shown instead of it; give the value")


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with `MASK` for the values of names that look secret."""
    return {name: MASK if _SECRET_NAME.search(name) else value for name, value in headers.items()}
