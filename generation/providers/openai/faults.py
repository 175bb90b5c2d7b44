"""
What may have been done, and charged, after each thing that a station complains about.

The service's code decides first, its words second and the HTTP status last: a spent token is a 401,
and a model nobody serves at the moment a 503. There is no task to ask about later, so whatever
breaks on the way leaves the order in doubt for good.
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
from generation.providers.openai.complaints import Complaint, wordless
from generation.providers.openai.reasons import LONGEST_REASON, is_moderation


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
_MODERATED = _Sort(Rejected, ErrorCode.MODERATED)
_TOO_FAST = _Sort(Throttled, ErrorCode.RATE_LIMITED)
_NO_ROOM = _Sort(QueueFull, ErrorCode.QUEUE_FULL)
_DOWN = _Sort(NotAccepted, ErrorCode.UNAVAILABLE)
#: The request arrived somewhere and broke; how far it came before is unknown.
_BROKEN = _Sort(InDoubt, ErrorCode.IN_DOUBT)
_UNREADABLE = _Sort(UnrecognizedReply, ErrorCode.BAD_RESPONSE)

_BY_CODE: Mapping[str, _Sort] = {
    "insufficient_quota": _CREDITS,
    "insufficient_user_quota": _CREDITS,
    "quota_not_enough": _CREDITS,
    "pre_consume_token_quota_failed": _CREDITS,
    "billing_hard_limit_reached": _CREDITS,
    "1008": _CREDITS,  # MiniMax
    "invalid_api_key": _AUTH,
    "account_deactivated": _AUTH,
    "rate_limit_exceeded": _TOO_FAST,
    "get_channel_failed": _NO_ROOM,
    "channel:no_available_key": _NO_ROOM,
    "model_not_found": _UNSUPPORTED,
    "model_price_error": _UNSUPPORTED,
    "invalid_api_type": _UNSUPPORTED,
    "api_not_implemented": _UNSUPPORTED,
    "not_implemented": _UNSUPPORTED,
    "context_length_exceeded": _INVALID,
    "unknown_parameter": _INVALID,
    "missing_required_parameter": _INVALID,
    "invalid_image_url": _INVALID,
    "invalid_size": _INVALID,
    # The relay's own trouble on the way to its upstream, or after that had answered.
    "do_request_failed": _BROKEN,
    "read_response_body_failed": _BROKEN,
    "unmarshal_response_body_failed": _BROKEN,
    "copy_response_body_failed": _BROKEN,
    "bad_response_body": _BROKEN,
}


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_Rules = tuple[tuple[re.Pattern[str], _Sort], ...]

#: What a station says before it does anything, whatever the code and the status. The first that
#: fits decides.
_AT_THE_DOOR: _Rules = (
    (
        _words(
            r"(insufficient|not enough|no( more)?|out of) (\w+ )?(credits?|balance|funds|quota)"
            r"|exceeded your current quota|billing (hard )?limit|payment required|quota_not_enough"
            r"|余额不足|余额已|额度不足|额度已|预扣费|欠费|剩余额度"
        ),
        _CREDITS,
    ),
    (
        _words(r"无可用渠道|no available channel|concurren(t|cy)|at capacity|overloaded|并发"),
        _NO_ROOM,
    ),
    (
        _words(r"too many requests|rate.?limit|throttl|too fast|频繁|过快|限流|负载已饱和"),
        _TOO_FAST,
    ),
)

#: Words that mean one thing whatever the status, where the code is none we know.
_CLEAR_WORDS: _Rules = (
    (
        _words(
            r"(no permission|not (allowed|permitted|authori[sz]ed)|(no|not have) access)\b.*\bmodel"
            r"|model\b.*(no permission|not (allowed|permitted)|(no|not have) access)"
            r"|无权(访问|使用)模型|不在令牌允许"
        ),
        _FORBIDDEN,
    ),
    (
        _words(
            r"unauthenticated|unauthori[sz]ed|user is locked|未提供令牌|无效的令牌"
            r"|令牌已(过期|失效)|令牌状态不可用|用户已被封禁"
            r"|(invalid|incorrect|missing|expired) (\w+ )?(api.?key|access.?key|token|credential)"
        ),
        _AUTH,
    ),
    (
        _words(
            r"invalid url \(|(not|isn't) implemented|model\b.{0,80} (does not|doesn't) exist"
            r"|模型不存在|不支持的?模型"
        ),
        _UNSUPPORTED,
    ),
)

#: Statuses that mean one thing where neither code nor words say otherwise.
_BY_STATUS: Mapping[int, _Sort] = {
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
    501: _UNSUPPORTED,
}


def fault_of(complaint: Complaint) -> Fault | None:
    """
    The complaint as the fault it is; None where it says no more than that the order has failed.
    """
    sort = _sort(complaint)
    return _fault(sort, complaint) if sort else None


def wordless_fault(reply: Reply) -> Fault:
    """
    The fault of an answer that is no JSON object: a gateway's page, a relay's dashboard where it
    has no such path, or the torso of something.
    """
    complaint = wordless(reply)
    page = reply.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if page and reply.status == 403:
        return _fault(_DOWN, complaint)  # a guard before the station, which knows nothing of us
    if 300 <= reply.status < 400 or (page and reply.status < 300):
        return Rejected(
            "the station answered with a web page: its url or the provider's prefix in the"
            f" settings leads elsewhere. {complaint.message}"[:LONGEST_REASON],
            code=ErrorCode.UNSUPPORTED,
            upstream_status=reply.status,
        )
    return _fault(_by_status(reply.status) if reply.status >= 400 else _UNREADABLE, complaint)


def _fault(sort: _Sort, complaint: Complaint) -> Fault:
    return sort.fault(
        complaint.message[:LONGEST_REASON],
        code=sort.code,
        upstream_status=complaint.status or None,
        upstream_code=complaint.code[:100] or None,
        retry_after=complaint.retry_after,
    )


def _sort(complaint: Complaint) -> _Sort | None:
    # Before the codes: to a relay a model is "not found" while its channels are only away.
    if found := _first(_AT_THE_DOOR, complaint.message):
        return found
    if is_moderation(complaint.message, complaint.code):
        return _MODERATED
    if found := _BY_CODE.get(complaint.code.lower()) or _first(_CLEAR_WORDS, complaint.message):
        return found
    code = complaint.code
    if complaint.status >= 400:
        return _by_status(complaint.status)
    # A code of three digits is an HTTP status that a station passes on.
    if re.fullmatch("4[0-9]{2}", code):
        return _by_status(int(code))
    # OpenAI's form says so to nearly everything: no reason to believe it against a status.
    return _INVALID if code.lower().startswith(("invalid_request", "invalid_parameter")) else None


def _first(rules: _Rules, message: str) -> _Sort | None:
    return next((sort for words, sort in rules if words.search(message)), None)


def _by_status(status: int) -> _Sort:
    return _BY_STATUS.get(status, _BROKEN if status >= 500 else _INVALID)
