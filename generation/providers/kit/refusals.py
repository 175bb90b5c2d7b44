"""The one order in which a complaint is judged.

Known codes decide first, then words, then the status. An answer above 498, or one that says that
two requests met, says nothing of what was done before: only a code or a sentence that is known to
come before an upstream is asked proves that no task exists there; no word for a limit does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from generation.contract.errors import ErrorCode
from generation.contract.reply import Reply
from generation.contract.status import Failed
from generation.providers.kit import moderation
from generation.providers.kit.codes import KNOWN_CODES, WEAK_CODES
from generation.providers.kit.complaints import LONGEST_CODE, LONGEST_MESSAGE, Complaint
from generation.providers.kit.sentences import BEFORE_CODES, PLAIN, REFUSALS, TROUBLE
from generation.providers.kit.verdicts import (
    AUTH,
    BROKEN,
    DOWN,
    FORBIDDEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    TOO_FAST,
    UNREADABLE,
    UNSUPPORTED,
    Rules,
    Verdict,
    first,
)

#: Statuses that mean one thing where neither code nor words say otherwise.
CLEAR_STATUSES: Mapping[int, Verdict] = {
    401: AUTH,
    402: NO_CREDIT,
    403: FORBIDDEN,
    413: INVALID,
    429: TOO_FAST,
}

#: Refusals of a request that was read and not carried out.
_REFUSED: Mapping[int, Verdict] = {
    400: INVALID,
    404: UNSUPPORTED,
    405: UNSUPPORTED,
    415: INVALID,
    422: INVALID,
}

#: An order that came too slowly or too early, that meets another one, or whose connection was
#: closed: nothing says that it was not taken.
_UNKNOWN: Mapping[int, Verdict] = dict.fromkeys((408, 409, 425, 499), BROKEN)

_BY_STATUS: Mapping[int, Verdict] = {**CLEAR_STATUSES, **_REFUSED, **_UNKNOWN}


@dataclass(frozen=True, slots=True)
class Refusals:
    """What one provider says in a way of its own, beside what all of them share."""

    #: Codes that decide at every status.
    codes: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    #: Sentences that are only said before a task is created, and decide at every status.
    refusals: Rules = ()
    #: Sentences that count where the status says that the request was read.
    plain: Rules = ()
    #: Codes that words and statuses above 499 outweigh.
    weak_codes: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])

    def by_words(self, complaint: Complaint, status: int | None = None) -> Verdict | None:
        """What the complaint's codes and words say; None where only its status can tell.

        `status` is the one to go by, where that is not what the complaint says of itself.
        """
        status = complaint.deciding_status if status is None else status
        broke = status >= 500 or status in _UNKNOWN
        found = self._anywhere(complaint)
        if found is None and not broke:
            found = self._of_a_read_request(complaint, status)
        if found is None:
            return None
        if broke and found.code is ErrorCode.MODERATED:
            return BROKEN  # what was made and then held back may be paid
        return found

    def verdict(self, complaint: Complaint) -> Verdict:
        """What the complaint amounts to."""
        return self.by_words(complaint) or by_status(complaint.deciding_status)

    def _anywhere(self, complaint: Complaint) -> Verdict | None:
        said = complaint.said
        return (
            first(BEFORE_CODES, said)
            or _by_code(complaint, self.codes)
            or _by_code(complaint, KNOWN_CODES)
            or first((*self.refusals, *REFUSALS), said)
        )

    def _of_a_read_request(self, complaint: Complaint, status: int) -> Verdict | None:
        said = complaint.said
        if status not in CLEAR_STATUSES and TROUBLE.search(said):
            return BROKEN
        if complaint.moderated or moderation.is_said(complaint.message):
            return MODERATED
        if any(map(moderation.is_code, complaint.codes)):
            return MODERATED
        return (
            first((*self.plain, *PLAIN), said)
            or _by_code(complaint, self.weak_codes)
            or _by_code(complaint, WEAK_CODES)
        )


def _by_code(complaint: Complaint, table: Mapping[str, Verdict]) -> Verdict | None:
    return next((table[code] for code in complaint.codes if code in table), None)


def by_status(status: int) -> Verdict:
    """All that a status says of an order."""
    return BROKEN if status >= 500 else _BY_STATUS.get(status, UNREADABLE)


def wordless_verdict(reply: Reply, *, submitting: bool) -> Verdict:
    """Return the verdict on an answer that is no JSON object.

    It may be a gateway's page, a relay's dashboard because the path does not exist, or a truncated
    answer.
    """
    if submitting and reply.is_page and reply.status < 300:
        return UNSUPPORTED  # the dashboard: the url in the settings leads elsewhere
    if submitting and 300 <= reply.status < 500:
        return _turned_away(reply)
    unread = BROKEN if reply.is_page or reply.status >= 500 else UNREADABLE
    # A 403 may come from a guard before the station.
    return unread if reply.status == 403 else CLEAR_STATUSES.get(reply.status, unread)


def _turned_away(reply: Reply) -> Verdict:
    """Return the verdict of a status that shows that nobody read the request.

    A redirect is not followed, a guard's 403 page says nothing about our key, and an unknown path
    is not sold there.
    """
    if reply.status < 400:
        return UNSUPPORTED
    if reply.status == 403 and reply.is_page:
        return DOWN
    return CLEAR_STATUSES.get(reply.status) or _REFUSED.get(reply.status, BROKEN)


#: What may be said of a task that was accepted and failed.
_FAILURES = frozenset(
    {
        ErrorCode.MODERATED,
        ErrorCode.OUT_OF_CREDITS,
        ErrorCode.INVALID_REQUEST,
        ErrorCode.QUEUE_FULL,
        ErrorCode.RATE_LIMITED,
        ErrorCode.UNAVAILABLE,
        ErrorCode.CANCELED,
    }
)
_FINAL_FAILURES = frozenset({ErrorCode.MODERATED, ErrorCode.INVALID_REQUEST, ErrorCode.CANCELED})


def failure(
    complaint: Complaint,
    verdict: Verdict | None,
    *,
    otherwise: ErrorCode = ErrorCode.UPSTREAM_FAILED,
) -> Failed:
    """Return why an accepted task failed; `otherwise` for verdicts that only a submit can have."""
    code = verdict.code if verdict and verdict.code in _FAILURES else otherwise
    return Failed(
        complaint.message[:LONGEST_MESSAGE] or complaint.code or "the upstream gave no reason",
        code,
        retryable=code not in _FINAL_FAILURES,
        upstream_code=complaint.code[:LONGEST_CODE] or None,
    )
