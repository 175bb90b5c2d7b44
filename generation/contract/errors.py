"""What can go wrong with an upstream, sorted by the one question that costs money.

Could a paid task now exist upstream?

Fault
  NotAccepted         no     sending again is safe
    Unreachable              the request never arrived
    Throttled                too fast; may say when to come back
    QueueFull                no room, or no channel, at the moment
  AccountBlocked      no     our key or our money: a person is needed
  Rejected            no     sending again is pointless: the request itself is at fault
  InDoubt             maybe  the request left; no answer came back, or somebody else's
  UnrecognizedReply   maybe  answered in a language we do not know
    ForeignHost              asked us to send our key to somebody else

Parsers raise these and nothing else. The `code` is public (`job.error.code`); the message keeps the
upstream's own words.
"""

from datetime import timedelta
from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """The public vocabulary of failure: what `job.error.code` may say."""

    #: The request cannot work as written; the message says which field or value is at fault.
    INVALID_REQUEST = "invalid_request"
    #: The station does not offer this operation.
    UNSUPPORTED = "unsupported"
    #: Refused by a content policy, before or during generation.
    MODERATED = "moderated"
    #: The station refuses our key.
    AUTH = "auth"
    #: The station account has no money left.
    OUT_OF_CREDITS = "out_of_credits"
    #: Too many requests in too short a time.
    RATE_LIMITED = "rate_limited"
    #: The station has no free slot or no free channel.
    QUEUE_FULL = "queue_full"
    #: The station cannot be reached or is down.
    UNAVAILABLE = "unavailable"
    #: The upstream does not know this task.
    NOT_FOUND = "not_found"
    #: The parent task is not finished in the station's own books yet.
    NOT_READY = "not_ready"
    #: The upstream accepted the task and could not finish it.
    UPSTREAM_FAILED = "upstream_failed"
    #: The upstream answered something nobody can read.
    BAD_RESPONSE = "bad_response"
    #: The upstream reports success and gives no asset.
    ASSET_MISSING = "asset_missing"
    #: The deadline passed before the upstream finished.
    EXPIRED = "expired"
    #: Canceled, by the caller or upstream.
    CANCELED = "canceled"
    #: Whether the upstream accepted the task is unknown.
    IN_DOUBT = "in_doubt"
    #: A fault of genq itself.
    INTERNAL = "internal"


class Acceptance(StrEnum):
    """Whether a paid task may exist upstream after this."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class Scope(StrEnum):
    """What a refusal holds for."""

    #: This order only.
    ORDER = "order"
    #: The key, for this provider or model.
    MODEL = "model"
    #: The key, for every order.
    KEY = "key"


class Fault(Exception):
    """An exchange with an upstream did not give what was asked for.

    `upstream_status` is the HTTP status and `upstream_code` the service's own code, where there
    were any.
    """

    accepted: ClassVar[Acceptance] = Acceptance.MAYBE
    #: True where the same request may succeed later without a change.
    retryable: ClassVar[bool] = False
    default_code: ClassVar[ErrorCode] = ErrorCode.INTERNAL
    default_scope: ClassVar[Scope] = Scope.ORDER

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode | None = None,
        upstream_status: int | None = None,
        upstream_code: str | None = None,
        retry_after: timedelta | None = None,
        scope: Scope | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.upstream_status = upstream_status
        self.upstream_code = upstream_code
        self.retry_after = retry_after
        self.scope = scope or self.default_scope
        #: The upstream's literal words, where it said anything; set by whoever heard them.
        self.words = ""


class NotAccepted(Fault):
    """Surely nothing was created; the same request may be sent again, here or elsewhere."""

    accepted = Acceptance.NO
    retryable = True
    default_code = ErrorCode.UNAVAILABLE


class Unreachable(NotAccepted):
    """No connection was made, so the request never left."""


class Throttled(NotAccepted):
    """Too fast. `retry_after` is what the upstream asked for, if it asked."""

    default_code = ErrorCode.RATE_LIMITED
    default_scope = Scope.KEY


class QueueFull(NotAccepted):
    """No slot, no account or no channel is free at the moment."""

    default_code = ErrorCode.QUEUE_FULL


class AccountBlocked(Fault):
    """Our key is refused or our credit is used up. `code` is `auth` or `out_of_credits`."""

    accepted = Acceptance.NO
    retryable = True
    default_code = ErrorCode.AUTH
    default_scope = Scope.KEY


class Rejected(Fault):
    """The upstream refuses this request for what it is; sending it again is pointless."""

    accepted = Acceptance.NO
    default_code = ErrorCode.INVALID_REQUEST


class InDoubt(Fault):
    """The request left, and what became of it is unknown."""

    default_code = ErrorCode.IN_DOUBT


class UnrecognizedReply(Fault):
    """An answer in a language we do not know: not JSON, or JSON of no known shape."""

    default_code = ErrorCode.BAD_RESPONSE


class ForeignHost(UnrecognizedReply):
    """The upstream gave a URL outside the station's own domain, and no request was sent.

    The station's key would have gone with it. This says nothing of the station's health.
    """
