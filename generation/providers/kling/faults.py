"""
What may exist upstream after each thing that Kling and its relays complain about.

The service's code decides first, its words second and the HTTP status last: Kling answers 429 for
"too fast", for "no money" and for "not from this address" alike, and errors may come with HTTP 200.
"""

from collections.abc import Mapping
from dataclasses import replace

from generation.complaint import (
    AUTH,
    BROKEN,
    CLEAR_STATUSES,
    DOWN,
    FORBIDDEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    REFUSALS,
    TOO_FAST,
    UNREADABLE,
    UNSUPPORTED,
    Complaint,
    Verdict,
    failure,
    first,
    rules,
    wordless,
    wordless_verdict,
    words,
)
from generation.errors import Fault
from generation.providers.kling.complaints import unfolded
from generation.reply import Reply
from generation.status import Failed

_BY_CODE: Mapping[str, Verdict] = {
    "1000": AUTH,
    "1001": AUTH,
    "1002": AUTH,
    "1003": AUTH,
    "1004": AUTH,
    "1100": AUTH,  # the account is suspended
    "1101": NO_CREDIT,
    "1102": NO_CREDIT,
    # This key may not use the endpoint or the model that was named. The key itself is good, and one
    # order for a forbidden model must not take it away from everybody.
    "1103": FORBIDDEN,
    "1200": INVALID,
    "1201": INVALID,
    "1202": INVALID,
    "1203": NOT_FOUND,
    "1300": MODERATED,
    "1301": MODERATED,
    "1302": TOO_FAST,
    "1303": NO_ROOM,
    "1304": AUTH,  # our address is not on the account's list
    # An internal error or timeout may strike after the task was written down.
    "5000": BROKEN,
    "5001": DOWN,  # closed for maintenance
    "5002": BROKEN,
    # Stations of the new-api family, and OpenAI's form.
    "invalid_request": INVALID,
    "task_not_exist": NOT_FOUND,
    "model_price_error": UNSUPPORTED,
    "invalid_api_platform": UNSUPPORTED,
    "insufficient_user_quota": NO_CREDIT,
    "quota_not_enough": NO_CREDIT,
    "do_request_failed": BROKEN,
}

#: The token's own times are refused: the two clocks disagree, or a token was kept for too long.
_CLOCK_CODES = frozenset({"1003", "1004"})


_CREDIT_WORDS = r"balance|credit|quota|resource pack (exhaust|deplet)|arrears|余额|额度|欠费"
_MODERATION_WORDS = (
    r"risk control|risk_control|content (policy|security|risk|moderation)|sensitive"
    r"|违规|敏感|审核|风控"
)

#: Our own reference is taken: an earlier submit of the same job did arrive, and must be found.
_DUPLICATE_WORDS = words(
    r"external_?task_?id.*(used|exist|duplicate|repeat|unique|重复|已存在)"
    r"|(duplicate|repeat|重复).*external_?task_?id"
)

#: Words that mean one thing whatever the status. The first that fits decides.
_CLEAR_WORDS = rules(
    (_MODERATION_WORDS, MODERATED),
    (_CREDIT_WORDS, NO_CREDIT),
    (r"parallel task|concurren|并发|no available channel|无可用渠道|负载已饱和", NO_ROOM),
    (r"invalid url \(", UNSUPPORTED),
    (r"too (fast|many|frequent)|rate.?limit|频繁|过快", TOO_FAST),
    (r"task[ _](id )?(does )?not[ _](found|exist)|任务不存在", NOT_FOUND),
)

#: Words too common to outweigh any of the above.
_FAINT_WORDS = rules(
    (
        (
            r"internal (server )?error|server internal|time.?out|timed out|deadline exceeded"
            r"|maintenance|unavailable|try again later|稍后"
        ),
        BROKEN,
    ),
    (
        r"invalid|must|exceed|unsupported|resolution|aspect ratio|no human|required",
        INVALID,
    ),
)


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """
    The complaint as the fault it is.

    While submitting, an unknown resource is one that the request names (a model, a video); while
    looking it is the task. An upstream that broke leaves a submit in doubt, and a look without
    news.
    """
    verdict = _verdict(complaint)
    if complaint.code in _CLOCK_CODES:
        said = f"the token's times are refused, check this machine's clock: {complaint.message}"
        complaint = replace(complaint, message=said)
    if submitting and verdict is NOT_FOUND:
        verdict = INVALID
    return verdict.on(complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """The fault of an answer that is no JSON object."""
    verdict = wordless_verdict(reply, submitting=submitting)
    return verdict.on(wordless(reply), submitting=submitting)


def failure_of(reason: str, code: str = "") -> Failed:
    """Why an accepted task ended without a result, from what the upstream says about it."""
    complaint = unfolded(Complaint(reason, code))
    return failure(complaint, _verdict(complaint))


def _verdict(complaint: Complaint) -> Verdict:
    if _DUPLICATE_WORDS.search(complaint.message):
        return BROKEN
    if complaint.code == "1201" and words(_CREDIT_WORDS).search(complaint.message):
        return NO_CREDIT
    return (
        _BY_CODE.get(complaint.code.lower())
        or first(_CLEAR_WORDS, complaint.message)
        or _by_status(complaint)
    )


def _by_status(complaint: Complaint) -> Verdict:
    """The last resort."""
    status = complaint.deciding_status
    if status >= 500:
        return BROKEN
    return (
        CLEAR_STATUSES.get(status)
        or first(_FAINT_WORDS, complaint.message)
        or REFUSALS.get(status, UNREADABLE)
    )
