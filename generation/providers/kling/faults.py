"""
What may exist upstream after each thing that Kling and its relays complain about.

The service's code decides first, its words second and the HTTP status last: Kling answers 429 for
"too fast", for "no money" and for "not from this address" alike, and errors may come with HTTP 200.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
from generation.operation import Reply
from generation.providers.kling.complaints import Complaint, unfolded, wordless
from generation.status import Failed


@dataclass(frozen=True, slots=True)
class _Sort:
    """What a complaint amounts to."""

    fault: type[Fault]
    code: ErrorCode


_AUTH = _Sort(AccountBlocked, ErrorCode.AUTH)
_FORBIDDEN = _Sort(Rejected, ErrorCode.AUTH)
_CREDITS = _Sort(AccountBlocked, ErrorCode.OUT_OF_CREDITS)
_INVALID = _Sort(Rejected, ErrorCode.INVALID_REQUEST)
_UNSUPPORTED = _Sort(Rejected, ErrorCode.UNSUPPORTED)
_NOT_FOUND = _Sort(Rejected, ErrorCode.NOT_FOUND)
_MODERATED = _Sort(Rejected, ErrorCode.MODERATED)
_TOO_FAST = _Sort(Throttled, ErrorCode.RATE_LIMITED)
_NO_ROOM = _Sort(QueueFull, ErrorCode.QUEUE_FULL)
_DOWN = _Sort(NotAccepted, ErrorCode.UNAVAILABLE)
#: The request arrived somewhere and broke; how far it came before is unknown.
_BROKEN = _Sort(InDoubt, ErrorCode.IN_DOUBT)
_UNREADABLE = _Sort(UnrecognizedReply, ErrorCode.BAD_RESPONSE)

_BY_CODE: Mapping[str, _Sort] = {
    "1000": _AUTH,
    "1001": _AUTH,
    "1002": _AUTH,
    "1003": _AUTH,
    "1004": _AUTH,
    "1100": _AUTH,  # the account is suspended
    "1101": _CREDITS,
    "1102": _CREDITS,
    # This key may not use the endpoint or the model that was named. The key itself is good, and one
    # order for a forbidden model must not take it away from everybody.
    "1103": _FORBIDDEN,
    "1200": _INVALID,
    "1201": _INVALID,
    "1202": _INVALID,
    "1203": _NOT_FOUND,
    "1300": _MODERATED,
    "1301": _MODERATED,
    "1302": _TOO_FAST,
    "1303": _NO_ROOM,
    "1304": _AUTH,  # our address is not on the account's list
    # An internal error or timeout may strike after the task was written down.
    "5000": _BROKEN,
    "5001": _DOWN,  # closed for maintenance
    "5002": _BROKEN,
    # Stations of the new-api family, and OpenAI's form.
    "invalid_request": _INVALID,
    "task_not_exist": _NOT_FOUND,
    "model_price_error": _UNSUPPORTED,
    "invalid_api_platform": _UNSUPPORTED,
    "insufficient_user_quota": _CREDITS,
    "quota_not_enough": _CREDITS,
    "do_request_failed": _BROKEN,
}

#: Enough for a person to read; stations pass whole pages on.
_LONGEST_MESSAGE = 500

#: The token's own times are refused: the two clocks disagree, or a token was kept for too long.
_CLOCK_CODES = frozenset({"1003", "1004"})


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_CREDIT_WORDS = _words(
    r"balance|credit|quota|resource pack (exhaust|deplet)|arrears|余额|额度|欠费"
)
_MODERATION_WORDS = _words(
    r"risk control|risk_control|content (policy|security|risk|moderation)|sensitive"
    r"|违规|敏感|审核|风控"
)

#: Our own reference is taken: an earlier submit of the same job did arrive, and must be found.
_DUPLICATE_WORDS = _words(
    r"external_?task_?id.*(used|exist|duplicate|repeat|unique|重复|已存在)"
    r"|(duplicate|repeat|重复).*external_?task_?id"
)

#: Words that mean one thing whatever the status. The first that fits decides.
_CLEAR_WORDS: tuple[tuple[re.Pattern[str], _Sort], ...] = (
    (_MODERATION_WORDS, _MODERATED),
    (_CREDIT_WORDS, _CREDITS),
    (_words(r"parallel task|concurren|并发|no available channel|无可用渠道|负载已饱和"), _NO_ROOM),
    (_words(r"invalid url \("), _UNSUPPORTED),
    (_words(r"too (fast|many|frequent)|rate.?limit|频繁|过快"), _TOO_FAST),
    (_words(r"task[ _](id )?(does )?not[ _](found|exist)|任务不存在"), _NOT_FOUND),
)

#: Statuses that mean one thing where neither code nor clear words say otherwise.
_CLEAR_STATUSES: Mapping[int, _Sort] = {
    401: _AUTH,
    402: _CREDITS,
    403: _AUTH,
    413: _INVALID,
    429: _TOO_FAST,
}

#: Words too common to outweigh any of the above.
_FAINT_WORDS: tuple[tuple[re.Pattern[str], _Sort], ...] = (
    (
        _words(
            r"internal (server )?error|server internal|time.?out|timed out|deadline exceeded"
            r"|maintenance|unavailable|try again later|稍后"
        ),
        _BROKEN,
    ),
    (
        _words(r"invalid|must|exceed|unsupported|resolution|aspect ratio|no human|required"),
        _INVALID,
    ),
)

#: Refusals of a request that was read and not carried out.
_REFUSALS: Mapping[int, _Sort] = {
    400: _INVALID,
    404: _UNSUPPORTED,
    405: _UNSUPPORTED,
    415: _INVALID,
    422: _INVALID,
}

#: What may be said of a task that was accepted and failed; all else is `upstream_failed`.
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


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """
    The complaint as the fault it is.

    While submitting, an unknown resource is one that the request names (a model, a video); while
    looking it is the task. An upstream that broke leaves a submit in doubt, and a look without
    news.
    """
    return _fault(_sort(complaint), complaint, submitting=submitting)


def _turned_away(status: int, *, page: bool) -> _Sort:
    """
    What a status says of an order that nobody read: a redirect is not followed, a guard's 403 page
    says nothing about our key, and what is not refused by its status may have been taken.
    """
    if status < 400:
        return _UNSUPPORTED
    if status == 403 and page:
        return _DOWN
    return _CLEAR_STATUSES.get(status) or _REFUSALS.get(status, _BROKEN)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """
    The fault of an answer that is no JSON object: a gateway's page, a relay's dashboard where it
    has no such path, or the torso of something.
    """
    complaint = wordless(reply)
    page = reply.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    sort = _BROKEN if page or reply.status >= 500 else _UNREADABLE
    if submitting and page and reply.status < 300:
        sort = _UNSUPPORTED  # the dashboard: the url in the settings leads elsewhere
    elif submitting and 300 <= reply.status < 500:
        sort = _turned_away(reply.status, page=page)
    elif reply.status != 403:  # which may come from a guard before the station
        sort = _CLEAR_STATUSES.get(reply.status, sort)
    return _fault(sort, complaint, submitting=submitting)


def failure_of(reason: str, code: str = "") -> Failed:
    """Why an accepted task ended without a result, from what the upstream says about it."""
    complaint = unfolded(Complaint(reason, code))
    said = _sort(complaint).code
    kind = said if said in _FAILURES else ErrorCode.UPSTREAM_FAILED
    return Failed(
        complaint.message[:_LONGEST_MESSAGE] or "the upstream gave no reason",
        kind,
        retryable=kind not in _FINAL_FAILURES,
        upstream_code=complaint.code or None,
    )


def _fault(sort: _Sort, complaint: Complaint, *, submitting: bool) -> Fault:
    code, message = sort.code, complaint.message
    if submitting and code is ErrorCode.NOT_FOUND:
        code = ErrorCode.INVALID_REQUEST
    if not submitting and code is ErrorCode.IN_DOUBT:
        code = ErrorCode.UNAVAILABLE
    if complaint.code in _CLOCK_CODES:
        message = f"the token's times are refused, check this machine's clock: {message}"
    return sort.fault(
        message[:_LONGEST_MESSAGE],
        code=code,
        upstream_status=complaint.status or None,
        upstream_code=complaint.code or None,
        retry_after=complaint.retry_after,
    )


def _sort(complaint: Complaint) -> _Sort:
    if _DUPLICATE_WORDS.search(complaint.message):
        return _BROKEN
    if complaint.code == "1201" and _CREDIT_WORDS.search(complaint.message):
        return _CREDITS
    return (
        _BY_CODE.get(complaint.code.lower())
        or _first(_CLEAR_WORDS, complaint.message)
        or _by_status(complaint)
    )


def _by_status(complaint: Complaint) -> _Sort:
    """The last resort. A code of three digits is an HTTP status that a station passes on."""
    code = complaint.code
    status = int(code) if re.fullmatch("[45][0-9]{2}", code) else complaint.status
    if status >= 500:
        return _BROKEN
    return (
        _CLEAR_STATUSES.get(status)
        or _first(_FAINT_WORDS, complaint.message)
        or _REFUSALS.get(status, _UNREADABLE)
    )


def _first(rules: tuple[tuple[re.Pattern[str], _Sort], ...], message: str) -> _Sort | None:
    return next((sort for words, sort in rules if words.search(message)), None)
