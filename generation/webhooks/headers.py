"""
Headers of their own that callers have sent with each webhook.
"""

import re
from collections.abc import Mapping

MAX_HEADERS = 20
LONGEST_VALUE = 2000
#: What is shown instead of a value that looks like a secret.
MASK = "********"

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
#: Visible ASCII and spaces: what every server takes as it is meant.
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
#: Of one connection, not of the request (RFC 9110, 7.6.1); of the message's frame; and ours.
_OURS = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "proxy-authenticate", "proxy-authorization", "host", "expect", "content-length",
        "content-type", "content-encoding", "accept-encoding", "user-agent", "traceparent",
        "tracestate", "forwarded", "via", "cookie", "set-cookie",
    }
)  # fmt: skip
_OUR_PREFIXES = ("webhook-", "svix-", "x-forwarded-", "proxy-", "sec-", "genq-")
_SECRET = re.compile(r"auth|token|secret|key|pass|signature|credential|session", re.IGNORECASE)


class UnusableHeader(ValueError):
    """A header that cannot be sent. The message names it and says what to change."""


def check_header(name: str, value: str) -> None:
    """Raise `UnusableHeader`, without quoting the value."""
    lower = name.lower()
    if not _NAME.fullmatch(name):
        raise UnusableHeader("a header's name has 1 to 100 letters, digits and hyphens")
    if lower in _OURS or lower.startswith(_OUR_PREFIXES):
        raise UnusableHeader(f"{name} is set by genq or by the connection; choose another name")
    if len(value) > LONGEST_VALUE or not _VALUE.fullmatch(value):
        raise UnusableHeader(
            f"the value of {name} must have 1 to {LONGEST_VALUE} visible ASCII characters"
        )
    if value == MASK:
        raise UnusableHeader(f"the value of {name} is what is shown instead of it; give the value")


def shown(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they may be shown: what looks like a secret is masked."""
    return {name: MASK if _SECRET.search(name) else value for name, value in headers.items()}
