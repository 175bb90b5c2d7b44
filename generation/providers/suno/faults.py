"""
What may exist upstream after each thing that a station of the Suno-API family complains about.

The service's code decides first, its words second and the HTTP status last: a spent token is a 401,
and everything a relay hears from its upstream is called `fail_to_fetch_task`.
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
from generation.providers.suno.complaints import Complaint, wordless
from generation.providers.suno.reasons import LONGEST_REASON, MODERATION


@dataclass(frozen=True, slots=True)
class Sort:
    """What a complaint amounts to."""

    fault: type[Fault]
    code: ErrorCode


_AUTH = Sort(AccountBlocked, ErrorCode.AUTH)
#: The key is good and may not use this model: one order must not take it away from the others.
_FORBIDDEN = Sort(Rejected, ErrorCode.AUTH)
_CREDITS = Sort(AccountBlocked, ErrorCode.OUT_OF_CREDITS)
_INVALID = Sort(Rejected, ErrorCode.INVALID_REQUEST)
_UNSUPPORTED = Sort(Rejected, ErrorCode.UNSUPPORTED)
_NOT_FOUND = Sort(Rejected, ErrorCode.NOT_FOUND)
_MODERATED = Sort(Rejected, ErrorCode.MODERATED)
#: A follow-up stays on its parent's channel, so one that is gone will not come back for it.
_CHANNEL_GONE = Sort(Rejected, ErrorCode.UNAVAILABLE)
_TOO_FAST = Sort(Throttled, ErrorCode.RATE_LIMITED)
_NO_ROOM = Sort(QueueFull, ErrorCode.QUEUE_FULL)
_DOWN = Sort(NotAccepted, ErrorCode.UNAVAILABLE)
#: The request arrived somewhere and broke; how far it came before is unknown.
_BROKEN = Sort(InDoubt, ErrorCode.IN_DOUBT)
_UNREADABLE = Sort(UnrecognizedReply, ErrorCode.BAD_RESPONSE)

_BY_CODE: Mapping[str, Sort] = {
    "quota_not_enough": _CREDITS,
    "insufficient_user_quota": _CREDITS,
    "invalid_action": _UNSUPPORTED,
    "invalid_api_platform": _UNSUPPORTED,
    "model_price_error": _UNSUPPORTED,
    "task_not_exist": _NOT_FOUND,
    "task_channel_disable": _CHANNEL_GONE,
    "channel_not_found": _CHANNEL_GONE,
    # The relay's own trouble on the way to its upstream, or after the upstream accepted.
    "do_request_failed": _BROKEN,
    "read_response_body_failed": _BROKEN,
    "unmarshal_response_body_failed": _BROKEN,
    "copy_response_body_failed": _BROKEN,
    "insert_task_failed": _BROKEN,
    # Stations in the vendor's official style.
    "430": _TOO_FAST,
    "455": _DOWN,  # closed for maintenance
}


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


#: Words that mean one thing whatever the status. The first that fits decides.
_CLEAR_WORDS: tuple[tuple[re.Pattern[str], Sort], ...] = (
    (
        _words(
            r"额度已用尽|额度不足|余额不足|预扣费额度失败|quota is not enough|payment required"
            r"|(insufficient|not enough|no) (user )?(credits?|balance|quota)"
            r"|credits? (are|is) (insufficient|not enough)"
        ),
        _CREDITS,
    ),
    (
        _words(r"no access to model|无权访问模型|不在令牌允许访问|无权使用模型"),
        _FORBIDDEN,
    ),
    (
        _words(
            r"无效的令牌|未提供令牌|令牌已过期|令牌状态不可用|用户已被封禁"
            r"|invalid (api[ _-]?)?(key|token)|unauthori[sz]ed|captcha|token validation"
        ),
        _AUTH,
    ),
    (_words(r"无可用渠道|no available channel"), _NO_ROOM),
    (
        _words(r"负载已饱和|too many (running jobs|requests)|rate.?limit|too frequent|频繁"),
        _TOO_FAST,
    ),
    (_words(r"渠道已被禁用|获取渠道信息失败"), _CHANNEL_GONE),
    (_words(r"invalid[_ ]action|invalid url \(|no such (path|route)"), _UNSUPPORTED),
    (
        _words(r"task(_origin|[ _]id)?( \S+)?[_ ](is |does )?not[_ ](exist|found)|任务不存在"),
        _NOT_FOUND,
    ),
    (_words(MODERATION), _MODERATED),
    # Suno answered a Suno-API, and began nothing.
    (_words(r"^task failed$"), _DOWN),
)

#: What Suno's own status means, which a Suno-API passes on: a dead session is a 401 or a 422.
_BY_SUNO_STATUS: Mapping[int, Sort] = {
    401: _AUTH,
    402: _CREDITS,
    403: _AUTH,
    422: _AUTH,
    429: _TOO_FAST,
    503: _DOWN,
}

_BY_STATUS: Mapping[int, Sort] = {
    400: _INVALID,
    401: _AUTH,
    402: _CREDITS,
    403: _AUTH,
    404: _UNSUPPORTED,
    405: _UNSUPPORTED,
    408: _BROKEN,
    413: _INVALID,
    415: _INVALID,
    422: _INVALID,
    425: _BROKEN,
    429: _TOO_FAST,
}


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """The complaint as the fault it is. While looking, what broke is only a look without news."""
    return _fault(_sort(complaint), complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """
    The fault of an answer that is no JSON object: a gateway's page, a relay's dashboard where it
    has no such path, or the torso of something.
    """
    return _fault(_of_wordless(reply, submitting), wordless(reply), submitting=submitting)


def is_page(reply: Reply) -> bool:
    """Whether this is HTML."""
    return reply.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _of_wordless(reply: Reply, submitting: bool) -> Sort:
    status = reply.status
    if status == 403 and is_page(reply):
        return _DOWN  # a guard before the station, which knows nothing of our key
    if not submitting and (is_page(reply) or status >= 300) and status not in (401, 402, 403, 429):
        return _DOWN
    if status >= 500:
        return _BROKEN
    if 300 <= status < 400 or (status < 300 and is_page(reply)):
        return _UNSUPPORTED
    return _BY_STATUS.get(status, _UNREADABLE)


def _sort(complaint: Complaint) -> Sort:
    if known := _BY_CODE.get(complaint.code.lower()):
        return known
    if complaint.suno_status:
        return _by_status(complaint.suno_status, _BY_SUNO_STATUS)
    for words, sort in _CLEAR_WORDS:
        if words.search(complaint.message):
            return sort
    return _by_status(complaint.own_status or complaint.status, {})


def _by_status(status: int, first: Mapping[int, Sort]) -> Sort:
    unknown = _BROKEN if status >= 500 else _INVALID if status >= 400 else _UNREADABLE
    return first.get(status) or _BY_STATUS.get(status, unknown)


def _fault(sort: Sort, complaint: Complaint, *, submitting: bool) -> Fault:
    code = sort.code
    if not submitting and code is ErrorCode.IN_DOUBT:
        code = ErrorCode.UNAVAILABLE
    return sort.fault(
        complaint.message[:LONGEST_REASON],
        code=code,
        upstream_status=complaint.status or None,
        upstream_code=complaint.code or None,
        retry_after=complaint.retry_after,
    )
