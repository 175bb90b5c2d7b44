"""
What can go wrong with a call.

    GenqError
      Unreachable        the API cannot be reached; nothing was done
      Unanswered         it was asked and did not answer; it may have done it
      NotGenq            something else answers at that URL
      Refused            the API says no, and what to change
        NotFound         there is no such thing, or it is not yours
      NotEnded           the job was waited for and goes on
      UnverifiedWebhook  not a webhook of this genq, or too old
"""

from collections.abc import Mapping, Sequence
from typing import Any


class GenqError(Exception):
    """Every error of this package."""


class Unreachable(GenqError):
    """No connection to the API, for as long as it was tried."""


class Unanswered(GenqError):
    """The request left and no answer came. What was asked for may have been done."""


class NotGenq(GenqError):
    """The answer is none of genq's API."""


class Refused(GenqError):
    """The API answered with a problem document (RFC 9457); the message says what to change."""

    def __init__(
        self, message: str, status: int, problem: Mapping[str, Any], retry_after: float | None
    ) -> None:
        super().__init__(message)
        #: HTTP status.
        self.status = status
        #: The whole problem document.
        self.problem = problem
        #: Seconds after which it is worth trying again, if the API said so.
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """The kind of problem, as in `invalid_request`; each has a page at `/problems/<code>`."""
        return str(self.problem.get("code", ""))

    @property
    def errors(self) -> Sequence[Mapping[str, Any]]:
        """Each place in the body that is at fault: `pointer`, `detail`, `code`."""
        return self.problem.get("errors") or ()


class NotFound(Refused):
    """There is no such thing, or it is another tenant's."""


class NotEnded(GenqError, TimeoutError):
    """The time was up before the job had ended. The job goes on."""


class UnverifiedWebhook(GenqError):
    """The signature is not of this secret, or the message is older than five minutes."""
