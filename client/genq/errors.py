"""The errors of a call.

GenqError
  Unreachable        no connection to the API; nothing was done
  Unanswered         the request was sent but not answered; it may have been executed
  NotGenq            something else than genq answers at that URL
  Refused            the API rejected the request; the message says what to change
    NotFound         the object does not exist or belongs to another tenant
  NotEnded           the timeout passed before the job ended; the job continues
  UnverifiedWebhook  the webhook is not from this genq, or is too old
"""

from collections.abc import Mapping, Sequence
from typing import Any


class GenqError(Exception):
    """Base class of all errors of this package."""


class Unreachable(GenqError):
    """No connection to the API within the retry time."""


class Unanswered(GenqError):
    """The request was sent but not answered. It may have been executed."""


class NotGenq(GenqError):
    """The response does not come from genq's API."""


class Refused(GenqError):
    """The API returned a problem document (RFC 9457); the message says what to change."""

    def __init__(
        self, message: str, status: int, problem: Mapping[str, Any], retry_after: float | None
    ) -> None:
        super().__init__(message)
        #: HTTP status.
        self.status = status
        #: The whole problem document.
        self.problem = problem
        #: Seconds to wait before a retry, if the API says so.
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """The problem type, such as `invalid_request`; documented at `/problems/<code>`."""
        return str(self.problem.get("code", ""))

    @property
    def errors(self) -> Sequence[Mapping[str, Any]]:
        """Each invalid place of the body: `pointer`, `detail`, `code`."""
        return self.problem.get("errors") or ()


class NotFound(Refused):
    """The object does not exist or belongs to another tenant."""


class NotEnded(GenqError, TimeoutError):
    """The timeout passed before the job ended. The job continues."""


class UnverifiedWebhook(GenqError):
    """The signature is not from this secret, or the message is older than five minutes."""
