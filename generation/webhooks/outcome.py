"""
What one attempt to deliver came to, and what that means.

Nothing here decides when to try again; `delivery.after_attempt` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

#: How much of an answer is read and kept.
EXCERPT_BYTES = 16 * 1024
#: The headers of an answer that say something to us.
KEPT_HEADERS = ("retry-after", "webhook-delivery", "location")

GONE = 410
#: Answers of a receiver, or of the proxy before it, that has too much to do.
OVERLOAD = frozenset({429, 502, 504})


class ErrorClass(StrEnum):
    """Why an attempt did not deliver, in one word for filters and metrics."""

    #: No answer within the time allowed, or no connection within its share of it.
    TIMEOUT = "timeout"
    #: The receiver's name has no address.
    DNS = "dns"
    #: Nobody accepts connections there.
    CONNECT = "connect"
    #: The receiver's certificate, or its TLS, is not acceptable.
    TLS = "tls"
    #: The connection ended before an answer came. The receiver may have acted on the request.
    DISCONNECTED = "disconnected"
    #: What came back is not HTTP.
    PROTOCOL = "protocol"
    #: The URL, or the address its name leads to, is one we do not send to. Nothing was sent.
    REFUSED_ADDRESS = "refused_address"
    #: An answer that is neither a success nor a redirect.
    STATUS = "status"
    #: A redirect, which is never followed: its target was never checked nor agreed to.
    REDIRECT = "redirect"
    #: 410: the receiver is there no more.
    GONE = "gone"
    #: The receiver refused and wants nothing more at all (`webhook-delivery: disable`).
    DISABLED = "disabled"
    #: The receiver refused and does not want this one again (`webhook-delivery: abort-message`).
    ABORTED = "aborted"


#: Errors that say that nobody is there.
AWAY = frozenset(
    {
        ErrorClass.TIMEOUT,
        ErrorClass.DNS,
        ErrorClass.CONNECT,
        ErrorClass.TLS,
        ErrorClass.DISCONNECTED,
    }
)
#: What a receiver may ask for in a `webhook-delivery` header.
STEERS = {"disable": ErrorClass.DISABLED, "abort-message": ErrorClass.ABORTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """One attempt: an answer with its `status`, or the `error` that kept it away, never both."""

    status: int | None = None
    error: ErrorClass | None = None
    #: What was wrong, in words for whoever owns the URL. Only with `error`.
    detail: str = ""
    #: Those of `KEPT_HEADERS` that were there, by lower-case name.
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    #: The head of the answer's body.
    excerpt: str = ""
    duration: timedelta = timedelta()

    @property
    def error_class(self) -> ErrorClass | None:
        """None if the event was delivered."""
        if self.status is None:
            return self.error
        if 200 <= self.status < 300:
            return None
        if self.status == GONE:
            return ErrorClass.GONE
        if steer := self._steer:
            return steer
        return ErrorClass.REDIRECT if 300 <= self.status < 400 else ErrorClass.STATUS

    @property
    def is_overload(self) -> bool:
        """The receiver has more to do than it can, so it is left alone for a while."""
        return self.error is ErrorClass.TIMEOUT or self.status in OVERLOAD

    @property
    def is_opt_out(self) -> bool:
        """The receiver asks that nothing at all be sent to this URL again, delivered or not."""
        return self.status == GONE or self._steer is ErrorClass.DISABLED

    @property
    def opt_out_reason(self) -> str:
        """What `is_opt_out` was understood from, in words."""
        return f"answered {self.status}" if self.status == GONE else "asked for no more"

    @property
    def error_line(self) -> str:
        """`class: words`, for the delivery's `last_error`. Empty if the event was delivered."""
        kind = self.error_class
        return "" if kind is None else f"{kind}: {self.words}"

    @property
    def words(self) -> str:
        """What was wrong and what to change. Empty if the event was delivered."""
        kind = self.error_class
        return "" if kind is None else self._words(kind)

    @property
    def is_receiver_slow_or_down(self) -> bool:
        """The receiver is slow or away: it gets one request at a time until one goes well."""
        return self.is_overload or self.error in AWAY

    @property
    def _steer(self) -> ErrorClass | None:
        return STEERS.get(self.headers.get("webhook-delivery", "").strip().lower())

    def _words(self, kind: ErrorClass) -> str:
        match kind:
            case ErrorClass.REDIRECT:
                target = self.headers.get("location", "nowhere")[:200]
                return (
                    f"answered {self.status}, to {target}; redirects are not followed, "
                    "so give the final address"
                )
            case ErrorClass.GONE:
                return f"answered {GONE}, so it is not asked again"
            case ErrorClass.DISABLED | ErrorClass.ABORTED:
                return f"answered {self.status} and asked for no further attempt"
            case ErrorClass.STATUS:
                return f"answered {self.status}"
            case _:
                return self.detail


def readable(head: bytes) -> str:
    """Text that any database stores: what is not UTF-8, and every NUL, becomes U+FFFD."""
    return head[:EXCERPT_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")
