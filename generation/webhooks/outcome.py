"""The outcome of one attempt to deliver a webhook.

`delivery.after_attempt` decides from it whether and when to try again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

#: Bytes of a response body that are read and stored.
EXCERPT_BYTES = 16 * 1024
#: The response headers that are evaluated.
KEPT_HEADERS = ("retry-after", "webhook-delivery", "location")

GONE = 410
#: Statuses of a receiver, or of a proxy before it, that is overloaded.
OVERLOAD_STATUSES = frozenset({429, 502, 504})


class ErrorClass(StrEnum):
    """Why an attempt failed. The values are public: filters and metrics use them."""

    #: No response within the total timeout, or no connection within the connect timeout.
    TIMEOUT = "timeout"
    #: The receiver's name has no address.
    DNS = "dns"
    #: The connection was refused or failed.
    CONNECT = "connect"
    #: The receiver's certificate or its TLS is not acceptable.
    TLS = "tls"
    #: The connection ended before a response. The receiver may have processed the request.
    DISCONNECTED = "disconnected"
    #: The response is not HTTP.
    PROTOCOL = "protocol"
    #: The URL, or an address of its name, is not permitted. Nothing was sent.
    REFUSED_ADDRESS = "refused_address"
    #: A status other than success, redirect and 410.
    STATUS = "status"
    #: A redirect. It is not followed, because its target was never checked.
    REDIRECT = "redirect"
    #: 410 Gone.
    GONE = "gone"
    #: The receiver wants no more webhooks at all (`webhook-delivery: disable`).
    DISABLED = "disabled"
    #: The receiver does not want this one again (`webhook-delivery: abort-message`).
    ABORTED = "aborted"


#: Errors of a receiver that cannot be reached.
UNREACHABLE_ERRORS = frozenset(
    {
        ErrorClass.TIMEOUT,
        ErrorClass.DNS,
        ErrorClass.CONNECT,
        ErrorClass.TLS,
        ErrorClass.DISCONNECTED,
    }
)
#: The values of the response header `webhook-delivery`.
DELIVERY_COMMANDS = {"disable": ErrorClass.DISABLED, "abort-message": ErrorClass.ABORTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """One attempt: either a response with a `status`, or an `error`."""

    status: int | None = None
    error: ErrorClass | None = None
    #: The explanation of `error`, for the owner of the URL.
    detail: str = ""
    #: Those of `KEPT_HEADERS` in the response, by lower-case name.
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    #: The beginning of the response body.
    excerpt: str = ""
    duration: timedelta = timedelta()

    @property
    def error_class(self) -> ErrorClass | None:
        """The class of the failure; None if the event was delivered."""
        if self.status is None:
            return self.error
        if 200 <= self.status < 300:
            return None
        if self.status == GONE:
            return ErrorClass.GONE
        if command := self._command:
            return command
        return ErrorClass.REDIRECT if 300 <= self.status < 400 else ErrorClass.STATUS

    @property
    def is_overload(self) -> bool:
        """Whether the receiver is overloaded, so that the next attempt comes later."""
        return self.error is ErrorClass.TIMEOUT or self.status in OVERLOAD_STATUSES

    @property
    def is_opt_out(self) -> bool:
        """Whether the receiver wants no more webhooks at this URL."""
        return self.status == GONE or self._command is ErrorClass.DISABLED

    @property
    def opt_out_reason(self) -> str:
        """How the receiver opted out; meaningful if `is_opt_out`."""
        return f"answered {self.status}" if self.status == GONE else "asked for no more"

    @property
    def error_line(self) -> str:
        """`class: explanation`, for the delivery's `last_error`. Empty after a success."""
        kind = self.error_class
        return "" if kind is None else f"{kind}: {self.explanation}"

    @property
    def explanation(self) -> str:
        """What went wrong and what to change. Empty after a success."""
        kind = self.error_class
        return "" if kind is None else self._explanation_of(kind)

    @property
    def is_receiver_slow_or_down(self) -> bool:
        """Whether the receiver gets only one request at a time until one succeeds."""
        return self.is_overload or self.error in UNREACHABLE_ERRORS

    @property
    def _command(self) -> ErrorClass | None:
        return DELIVERY_COMMANDS.get(self.headers.get("webhook-delivery", "").strip().lower())

    def _explanation_of(self, kind: ErrorClass) -> str:
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


def storable_text(head: bytes) -> str:
    """Return text that any database stores: NULs and invalid UTF-8 are replaced by U+FFFD."""
    return head[:EXCERPT_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")
