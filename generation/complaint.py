"""
What an upstream complains about, and what that amounts to.

Where a complaint stands in an answer, and what its words mean, each provider knows for itself. What
all of them find is the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from generation.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
    QueueFull,
    Rejected,
    Throttled,
    UnrecognizedReply,
)
from generation.reply import Reply
from generation.status import Failed

#: Enough for a person to read; stations pass whole pages on.
LONGEST_MESSAGE = 500
LONGEST_CODE = 100

_STATUS = re.compile(r"[45][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an upstream says went wrong, in its own words."""

    message: str
    #: The service's own code as text; "" where it gave none.
    code: str = ""
    #: The HTTP status it came with; 0 where it came inside an answer about a task.
    status: int = 0
    retry_after: timedelta | None = None

    @property
    def deciding_status(self) -> int:
        """A code of three digits is an HTTP status that a station passes on; else the answer's."""
        return int(self.code) if _STATUS.fullmatch(self.code) else self.status


def wordless(reply: Reply) -> Complaint:
    """The complaint of an answer that is no JSON object: its status and how it begins."""
    message = f"HTTP {reply.status} without a readable answer: {reply.excerpt()}"
    return told_in(Complaint(message), reply)


def told_in(complaint: Complaint, reply: Reply) -> Complaint:
    """The complaint with what the answer around it says: the status, and how long to wait."""
    return replace(
        complaint,
        message=complaint.message or reply.excerpt(),
        status=reply.status,
        retry_after=reply.retry_after,
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a complaint amounts to."""

    fault: type[Fault]
    code: ErrorCode
    #: How long it surely lasts, where that is known and the upstream names no time.
    wait: timedelta | None = None

    def on(self, complaint: Complaint, *, submitting: bool = True) -> Fault:
        """The fault that this complaint is. What broke over a look is a look without news."""
        code = self.code
        if code is ErrorCode.IN_DOUBT and not submitting:
            code = ErrorCode.UNAVAILABLE
        return self.fault(
            complaint.message[:LONGEST_MESSAGE],
            code=code,
            upstream_status=complaint.status or None,
            upstream_code=complaint.code[:LONGEST_CODE] or None,
            retry_after=complaint.retry_after or self.wait,
        )


AUTH = Verdict(AccountBlocked, ErrorCode.AUTH)
#: The key is good and may not use this model; one order for it must not take the key away.
FORBIDDEN = Verdict(Rejected, ErrorCode.AUTH)
NO_CREDIT = Verdict(AccountBlocked, ErrorCode.OUT_OF_CREDITS)
INVALID = Verdict(Rejected, ErrorCode.INVALID_REQUEST)
UNSUPPORTED = Verdict(Rejected, ErrorCode.UNSUPPORTED)
NOT_FOUND = Verdict(Rejected, ErrorCode.NOT_FOUND)
MODERATED = Verdict(Rejected, ErrorCode.MODERATED)
#: A follow-up stays on its parent's channel, so one that is gone will not come back for it.
CHANNEL_GONE = Verdict(Rejected, ErrorCode.UNAVAILABLE)
TOO_FAST = Verdict(Throttled, ErrorCode.RATE_LIMITED)
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


#: Statuses that mean one thing where neither code nor words say otherwise.
CLEAR_STATUSES: Mapping[int, Verdict] = {
    401: AUTH,
    402: NO_CREDIT,
    403: AUTH,
    413: INVALID,
    429: TOO_FAST,
}

#: Refusals of a request that was read and not carried out.
REFUSALS: Mapping[int, Verdict] = {
    400: INVALID,
    404: UNSUPPORTED,
    405: UNSUPPORTED,
    415: INVALID,
    422: INVALID,
}

#: All that a status below 500 says of an order. Nothing says that one which came too slowly or too
#: early was not taken.
BY_STATUS: Mapping[int, Verdict] = {**CLEAR_STATUSES, **REFUSALS, 408: BROKEN, 425: BROKEN}


def wordless_verdict(reply: Reply, *, submitting: bool) -> Verdict:
    """
    What an answer amounts to that is no JSON object: a gateway's page, a relay's dashboard where it
    has no such path, or the torso of something.
    """
    if submitting and reply.is_page and reply.status < 300:
        return UNSUPPORTED  # the dashboard: the url in the settings leads elsewhere
    if submitting and 300 <= reply.status < 500:
        return _turned_away(reply)
    unread = BROKEN if reply.is_page or reply.status >= 500 else UNREADABLE
    # A 403 may come from a guard before the station.
    return unread if reply.status == 403 else CLEAR_STATUSES.get(reply.status, unread)


def _turned_away(reply: Reply) -> Verdict:
    """
    What a status says of an order that nobody read: a redirect is not followed, a guard's 403 page
    says nothing about our key, and what is not refused by its status may have been taken.
    """
    if reply.status < 400:
        return UNSUPPORTED
    if reply.status == 403 and reply.is_page:
        return DOWN
    return CLEAR_STATUSES.get(reply.status) or REFUSALS.get(reply.status, BROKEN)


#: What may be said of a task that was accepted and failed.
_FAILURES = frozenset(
    {
        ErrorCode.MODERATED,
        ErrorCode.OUT_OF_CREDITS,
        ErrorCode.INVALID_REQUEST,
        ErrorCode.QUEUE_FULL,
        ErrorCode.RATE_LIMITED,
    }
)
_FINAL_FAILURES = frozenset({ErrorCode.MODERATED, ErrorCode.INVALID_REQUEST})


def failure(
    complaint: Complaint,
    verdict: Verdict | None,
    *,
    otherwise: ErrorCode = ErrorCode.UPSTREAM_FAILED,
) -> Failed:
    """
    Why an accepted task ended without a result; `otherwise` where the verdict is one of those that
    only an order can meet with.
    """
    code = verdict.code if verdict and verdict.code in _FAILURES else otherwise
    return Failed(
        complaint.message[:LONGEST_MESSAGE] or "the upstream gave no reason",
        code,
        retryable=code not in _FINAL_FAILURES,
        upstream_code=complaint.code[:LONGEST_CODE] or None,
    )
