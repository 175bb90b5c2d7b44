"""
Refusals: what an answer means that is neither an acceptance nor a task.

The service's text decides first, its code second, the HTTP status last: business errors come with
HTTP 200, a token without credit with 401, and new-api says code 4 to almost everything. Two kinds
of server speak here: the proxies with `{code, description}`, and the relay in front of them, which
adds `type` or answers `{error: {message, type, code}}` as OpenAI does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from generation.complaint import (
    AUTH,
    BROKEN,
    CHANNEL_GONE,
    DOWN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    TOO_FAST,
    UNREADABLE,
    UNSUPPORTED,
    Verdict,
    first,
    rules,
)
from generation.errors import ErrorCode, Fault, NotAccepted, UnrecognizedReply
from generation.providers.midjourney.fields import integer, mapping, text
from generation.reply import Reply

#: The relay reads its upstream every 15 seconds, and believes its own books only.
NOT_READY = Verdict(NotAccepted, ErrorCode.NOT_READY, timedelta(seconds=15))

#: Refusals that say nothing about a task, so that they mean the same wherever they appear.
_ANYWHERE = rules(
    (
        r"额度已用尽|额度不足|预扣费额度失败|quota_not_enough|insufficient_user_quota"
        r"|quota is not enough|今日绘图次数已达上限",
        NO_CREDIT,
    ),
    (
        r"无效的令牌|未提供令牌|令牌已过期|令牌状态不可用|令牌分组|用户已被封禁|不在令牌允许访问"
        r"|无权访问模型|不支持指定渠道",
        AUTH,
    ),
    (r"负载已饱和", TOO_FAST),
    (r"task_no_found|task[_ ]not[_ ]found|任务不存在", NOT_FOUND),
)

_ON_SUBMIT = (
    *_ANYWHERE,
    *rules(
        (
            r"队列已满|queue full|无可用渠道|model_not_found|无可用的账号|实例不存在或不可用"
            r"|no available",
            NO_ROOM,
        ),
        # HTML where the relay expected JSON: its upstream has no such endpoint.
        (
            r"readObjectStart|unknown_action|未知的 ?Action|服务不支持|禁止上传|功能未启用",
            UNSUPPORTED,
        ),
        (r"渠道已被禁用|get_channel_info_failed", CHANNEL_GONE),
        (r"task_status_not_success|关联任务状态错误", NOT_READY),
        (r"敏感词|banned.?prompt|blocked by content policy|AI moderator", MODERATED),
        (r"new_api_panic", INVALID),
        # The relay's own trouble on the way to its upstream, or after the upstream accepted.
        (
            r"insert_midjourney_task_failed|(copy|close|read|unmarshal)_response\w*"
            r"|do_request_failed|empty_response_body",
            BROKEN,
        ),
    ),
)

_BY_CODE: Mapping[int, Verdict] = {
    3: NOT_FOUND,  # the parent; a missing account is code 3 too and told by its text
    4: INVALID,
    5: BROKEN,
    9: DOWN,  # a full queue is code 9 too at some proxies and told by its text
    23: NO_ROOM,
    24: MODERATED,
    30: TOO_FAST,
}


def submit_fault(reply: Reply) -> Fault:
    """Why a submit was not accepted, or why it cannot be known whether it was."""
    told = _complaint(reply)
    return _fault(reply, told, first(_ON_SUBMIT, told.words) or _by_code(told) or _submitted(reply))


def query_fault(reply: Reply) -> Fault:
    """
    Why a question about tasks brought no task. Only `Rejected` with `not_found` speaks of the task;
    everything else leaves it as it was.
    """
    told = _complaint(reply)
    return _fault(reply, told, first(_ANYWHERE, told.words) or _queried(reply))


def is_nothing(reply: Reply) -> bool:
    """An answer without content: the way direct proxies say that they know no such task."""
    return 200 <= reply.status < 300 and reply.body.strip() in (b"", b"null")


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What a refusal says."""

    message: str
    #: Everything it says, in one line, to look for known words in.
    words: str
    #: The proxy's numeric code.
    code: int | None = None
    upstream_code: str | None = None


def _complaint(reply: Reply) -> _Complaint:
    try:
        document = reply.object()
    except UnrecognizedReply:
        excerpt = reply.excerpt()
        if reply.is_page:
            return _Complaint(f"HTML with HTTP {reply.status}: {excerpt}", "")
        return _Complaint(excerpt, excerpt)
    error = mapping(document.get("error"))
    message = (
        text(document.get("description"))
        or text(error.get("message"))
        or text(document.get("message"))
        or text(document.get("error"))
    )
    words = [message]
    words += [text(document.get(name)) for name in ("result", "type", "code")]
    words += [text(error.get(name)) for name in ("type", "code")]
    code = integer(document.get("code"))
    banned = text(mapping(document.get("properties")).get("bannedWord"))
    named = text(document.get("code")) or text(error.get("code"))
    return _Complaint(
        message=": ".join(filter(None, (message, banned))) or reply.excerpt(),
        words=" ".join(words),
        code=code,
        upstream_code=str(code) if code is not None else named or None,
    )


def _by_code(told: _Complaint) -> Verdict | None:
    if told.code == 3 and "账号不可用" in told.words:
        return NO_ROOM
    return _BY_CODE.get(told.code) if told.code is not None else None


def _submitted(reply: Reply) -> Verdict:
    """What the HTTP status alone says of a submit."""
    match reply.status:
        case 401:
            return AUTH
        case 402:
            return NO_CREDIT
        case 403:
            return DOWN if reply.is_page else AUTH  # a page is a gateway's word, not the station's
        case 404 | 405:
            return UNSUPPORTED
        case 400 | 413 | 415 | 422:
            return INVALID
        case 429:
            return TOO_FAST
        case 408 | 425:
            return BROKEN
        case status if status >= 500:
            return BROKEN
        case status if 300 <= status < 400 or reply.is_page:
            return UNSUPPORTED  # relays answer unknown paths with their dashboard
        case _:
            return UNREADABLE


def _queried(reply: Reply) -> Verdict:
    """What the HTTP status alone says of a query. A slow or broken look is never a failure."""
    if is_nothing(reply):
        return NOT_FOUND
    match reply.status:
        case 401:
            return AUTH
        case 402:
            return NO_CREDIT
        case 403 if not reply.is_page:
            return AUTH
        case 429:
            return TOO_FAST
        case 404 | 405 | 408 | 425:
            return DOWN  # no proxy says so of a task: the route itself is away
        case status if status >= 500 or 300 <= status < 400 or reply.is_page:
            return DOWN
        case _:
            return UNREADABLE


def _fault(reply: Reply, told: _Complaint, verdict: Verdict) -> Fault:
    return verdict.fault(
        told.message,
        code=verdict.code,
        upstream_status=reply.status,
        upstream_code=told.upstream_code,
        retry_after=reply.retry_after or verdict.wait,
    )
