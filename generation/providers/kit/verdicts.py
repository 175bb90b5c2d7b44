"""What a complaint of an upstream may amount to, and the patterns that tell which it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from generation.contract import retry_after
from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
    QueueFull,
    Rejected,
    Scope,
    Throttled,
    UnrecognizedReply,
)
from generation.providers.kit.complaints import LONGEST_CODE, LONGEST_MESSAGE, Complaint


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a complaint amounts to."""

    fault: type[Fault]
    code: ErrorCode
    #: How long it surely lasts, where that is known and the upstream names no time.
    wait: timedelta | None = None
    #: What it holds for, where that differs from the fault's default.
    scope: Scope | None = None

    def on(self, complaint: Complaint, *, submitting: bool = True) -> Fault:
        """The fault that this complaint is.

        What broke over a look is a look without news; what a relay was told is about the relay.
        """
        if complaint.relayed and (relays := self._about_the_relay()) is not self:
            return relays.on(complaint, submitting=submitting)
        code = self.code
        if code is ErrorCode.IN_DOUBT and not submitting:
            code = ErrorCode.UNAVAILABLE
        return self.fault(
            complaint.message[:LONGEST_MESSAGE],
            code=code,
            upstream_status=complaint.status or None,
            upstream_code=complaint.code[:LONGEST_CODE] or None,
            retry_after=self._wait(complaint),
            scope=self.scope,
        )

    def _wait(self, complaint: Complaint) -> timedelta | None:
        words = complaint.message if issubclass(self.fault, NotAccepted) else ""
        return complaint.retry_after or retry_after.in_words(words) or self.wait

    def _about_the_relay(self) -> "Verdict":
        """Return the same verdict, said by an upstream to the relay.

        The relay's account there is not ours, and its limit there is not that of our key.
        """
        if self.fault is AccountBlocked:
            return RELAYS_ACCOUNT
        narrow = self.fault is Throttled and self.scope is None
        return replace(self, scope=Scope.MODEL) if narrow else self


AUTH = Verdict(AccountBlocked, ErrorCode.AUTH)
#: The key is good, and may not do this: it says nothing about other models.
FORBIDDEN = Verdict(AccountBlocked, ErrorCode.AUTH, scope=Scope.MODEL)
NO_CREDIT = Verdict(AccountBlocked, ErrorCode.OUT_OF_CREDITS)
#: A relay's own account at its upstream is refused or empty: our key is good elsewhere.
RELAYS_ACCOUNT = Verdict(NotAccepted, ErrorCode.UNAVAILABLE, scope=Scope.MODEL)
INVALID = Verdict(Rejected, ErrorCode.INVALID_REQUEST)
UNSUPPORTED = Verdict(Rejected, ErrorCode.UNSUPPORTED)
NOT_FOUND = Verdict(Rejected, ErrorCode.NOT_FOUND)
MODERATED = Verdict(Rejected, ErrorCode.MODERATED)
#: A follow-up stays on its parent's channel, so one that is gone will not come back for it.
CHANNEL_GONE = Verdict(Rejected, ErrorCode.UNAVAILABLE)
TOO_FAST = Verdict(Throttled, ErrorCode.RATE_LIMITED)
#: What a relay buys from is too busy, for the model that was ordered.
SATURATED = Verdict(Throttled, ErrorCode.RATE_LIMITED, scope=Scope.MODEL)
NO_ROOM = Verdict(QueueFull, ErrorCode.QUEUE_FULL)
#: Turned away before anything was begun, by a guard, a channel or a closed door.
DOWN = Verdict(NotAccepted, ErrorCode.UNAVAILABLE)
#: The request arrived somewhere and broke; how far it came before is unknown.
BROKEN = Verdict(InDoubt, ErrorCode.IN_DOUBT)
UNREADABLE = Verdict(UnrecognizedReply, ErrorCode.BAD_RESPONSE)

#: Patterns to look for, each with what it means. The first that is found decides.
Rules = Sequence[tuple[re.Pattern[str], Verdict]]


def rules(*rows: tuple[str, Verdict]) -> Rules:
    return tuple((words(pattern), verdict) for pattern, verdict in rows)


def words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def first(table: Rules, said: str) -> Verdict | None:
    """The verdict of the first rule that fits; None where none does."""
    return next((verdict for pattern, verdict in table if pattern.search(said)), None)
