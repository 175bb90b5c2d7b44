"""
What may exist upstream after each thing that the vendor and its resellers complain about.

The service's code decides first, its words second and the HTTP status last.
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
from generation.providers.flux.complaints import Complaint, unfolded, wordless
from generation.status import Failed


@dataclass(frozen=True, slots=True)
class _Sort:
    """What a complaint amounts to."""

    fault: type[Fault]
    code: ErrorCode


_AUTH = _Sort(AccountBlocked, ErrorCode.AUTH)
#: The key is good and may not use this model; one order for it must not take the key away.
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
    # fal, in the type of a field error or in the header x-fal-error-type.
    "content_policy_violation": _MODERATED,
    # Stations of the new-api family, and OpenAI's form.
    "insufficient_user_quota": _CREDITS,
    "insufficient_quota": _CREDITS,
    "quota_not_enough": _CREDITS,
    "pre_consume_token_quota_failed": _CREDITS,
    "invalid_api_key": _AUTH,
    "rate_limit_exceeded": _TOO_FAST,
    "task_not_exist": _NOT_FOUND,
    "do_request_failed": _BROKEN,
}


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


#: Words that mean one thing whatever the code and the status. The first that fits decides.
_CLEAR_WORDS: tuple[tuple[re.Pattern[str], _Sort], ...] = (
    (
        _words(
            r"(insufficient|not enough|no( more)?|out of) (\w+ )?(credits?|balance|funds|quota)"
            r"|exhausted balance|payment (method|required)|budget exceeded|billing"
            r"|余额|额度|欠费"
        ),
        _CREDITS,
    ),
    (
        _words(
            r"moderat(ed|ion)|nsfw|flagged|sensitive|content (policy|filter)|safety (filter|system)"
            r"|prohibited content|违规|敏感|审核"
        ),
        _MODERATED,
    ),
    (
        _words(
            r"active (tasks?|generations?|requests?)|concurren|parallel|at capacity|queue is full"
            r"|no available channel|无可用渠道|并发"
        ),
        _NO_ROOM,
    ),
    (_words(r"too many requests|rate.?limit|throttl|too fast|频繁|过快|负载已饱和"), _TOO_FAST),
    (_words(r"invalid url \("), _UNSUPPORTED),
    (
        _words(r"(task|request|prediction)( id)? (was )?(does )?not[ _](found|exist)|任务不存在"),
        _NOT_FOUND,
    ),
    (
        _words(
            r"not authenticated|unauthenticated|unauthori[sz]ed|user is locked|未提供令牌"
            r"|(invalid|incorrect|missing|expired) (\w+ )?(api.?key|token|credentials)|无效的令牌"
        ),
        _AUTH,
    ),
    (
        _words(
            r"(no permission|not (allowed|permitted|authori[sz]ed)|(no|not have) access)\b.*\bmodel"
            r"|model\b.*(no permission|not (allowed|permitted)|(no|not have) access)|无权访问模型"
        ),
        _FORBIDDEN,
    ),
)

#: Statuses that mean one thing where neither code nor words say otherwise.
_CLEAR_STATUSES: Mapping[int, _Sort] = {
    401: _AUTH,
    402: _CREDITS,
    403: _AUTH,
    413: _INVALID,
    429: _TOO_FAST,
}

#: Refusals of a request that was read and not carried out.
_REFUSALS: Mapping[int, _Sort] = {
    400: _INVALID,
    404: _UNSUPPORTED,
    405: _UNSUPPORTED,
    415: _INVALID,
    422: _INVALID,
}

#: Enough for a person to read; stations pass whole pages on.
_LONGEST_MESSAGE = 500

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

    While submitting, an unknown thing is one that the request names; while looking it is the task.
    An upstream that broke leaves a submit in doubt, and a look without news.
    """
    return _fault(_sort(complaint, submitting=submitting), complaint, submitting=submitting)


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
    page = reply.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    sort = _BROKEN if page or reply.status >= 500 else _UNREADABLE
    if submitting and page and reply.status < 300:
        sort = _UNSUPPORTED  # the dashboard: the url in the settings leads elsewhere
    elif submitting and 300 <= reply.status < 500:
        sort = _turned_away(reply.status, page=page)
    elif reply.status != 403:  # which may come from a guard before the station
        sort = _CLEAR_STATUSES.get(reply.status, sort)
    if reply.status == 404 and not (page or submitting):
        sort = _NOT_FOUND
    return _fault(sort, wordless(reply), submitting=submitting)


def failure_of(
    reason: str, code: str = "", *, otherwise: ErrorCode = ErrorCode.UPSTREAM_FAILED
) -> Failed:
    """
    Why an accepted task ended without a result, from what the upstream says about it; `otherwise`
    where that says nothing to us.
    """
    complaint = unfolded(Complaint(reason, code))
    said = _by_words(complaint)
    kind = said.code if said and said.code in _FAILURES else otherwise
    return Failed(
        complaint.message[:_LONGEST_MESSAGE] or "the upstream gave no reason",
        kind,
        retryable=kind not in _FINAL_FAILURES,
        upstream_code=complaint.code or None,
    )


def _fault(sort: _Sort, complaint: Complaint, *, submitting: bool) -> Fault:
    code = sort.code
    if submitting and code is ErrorCode.NOT_FOUND:
        code = ErrorCode.INVALID_REQUEST
    if not submitting and code is ErrorCode.IN_DOUBT:
        code = ErrorCode.UNAVAILABLE
    return sort.fault(
        complaint.message[:_LONGEST_MESSAGE],
        code=code,
        upstream_status=complaint.status or None,
        upstream_code=complaint.code or None,
        retry_after=complaint.retry_after,
    )


def _sort(complaint: Complaint, *, submitting: bool) -> _Sort:
    return _by_words(complaint) or _by_status(complaint, submitting=submitting)


def _by_words(complaint: Complaint) -> _Sort | None:
    by_words = (sort for words, sort in _CLEAR_WORDS if words.search(complaint.message))
    return _BY_CODE.get(complaint.code.lower()) or next(by_words, None)


def _by_status(complaint: Complaint, *, submitting: bool) -> _Sort:
    """The last resort. A code of three digits is an HTTP status that a station passes on."""
    code = complaint.code
    status = int(code) if re.fullmatch("[45][0-9]{2}", code) else complaint.status
    if status >= 500:
        return _BROKEN
    if status == 404 and not submitting:
        return _NOT_FOUND
    # OpenAI's form says so to nearly everything, which is no reason to believe it against a status.
    otherwise = _INVALID if code.lower().startswith("invalid_request") else _UNREADABLE
    return _CLEAR_STATUSES.get(status) or _REFUSALS.get(status, otherwise)
