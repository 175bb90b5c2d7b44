"""Refusals: what an answer means that is neither an acceptance nor a task.

Business errors come with HTTP 200, a token without credit with 401, and new-api says code 4 to
almost everything, so that the words outweigh most codes. Two kinds of server speak here: the
proxies with `{code, description}`, and the relay in front of them, which adds `type` or answers
`{error: {message, type, code}}` as OpenAI does.
"""

from dataclasses import replace
from datetime import timedelta

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    NotAccepted,
    Throttled,
    UnrecognizedReply,
)
from generation.contract.reply import Reply
from generation.providers.kit.complaints import Complaint, told_in
from generation.providers.kit.refusals import CLEAR_STATUSES, Refusals, by_status
from generation.providers.kit.verdicts import (
    AUTH,
    BROKEN,
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
    rules,
)
from generation.providers.midjourney.fields import integer, mapping, text

#: The relay reads its upstream every 15 seconds, and believes its own books only.
NOT_READY = Verdict(NotAccepted, ErrorCode.NOT_READY, timedelta(seconds=15))

_REFUSALS = Refusals(
    codes={
        "5": BROKEN,
        "23": NO_ROOM,
        "24": MODERATED,
        "30": TOO_FAST,
        "task_status_not_success": NOT_READY,
    },
    refusals=rules(
        (r"今日绘图次数已达上限", NO_CREDIT),
        (r"令牌分组|不支持指定渠道", AUTH),
        (r"账号不可用[:：]", NO_ROOM),
    ),
    plain=rules(
        (r"unknown_action|未知的 ?Action|服务不支持|禁止上传|功能未启用", UNSUPPORTED),
        (r"关联任务状态错误", NOT_READY),
        (r"banned.?prompt|AI moderator", MODERATED),
    ),
    weak_codes={
        "3": NOT_FOUND,  # the parent; a missing account is code 3 too and told by its text
        "4": INVALID,
        "9": DOWN,  # a full queue is code 9 too at some proxies and told by its text
    },
)


def submit_fault(reply: Reply) -> Fault:
    """Why a submit was not accepted, or why it cannot be known whether it was."""
    complaint, searched = _complaint(reply)
    verdict = _REFUSALS.by_words(searched, reply.status) or _submitted(reply)
    return verdict.on(complaint)


def query_fault(reply: Reply) -> Fault:
    """Why a question about tasks brought no task.

    Only `Rejected` with `not_found` speaks of the task; everything else leaves it as it was.
    """
    complaint, searched = _complaint(reply)
    found = _REFUSALS.by_words(searched, reply.status)
    if found and found is not NOT_FOUND and not issubclass(found.fault, AccountBlocked | Throttled):
        found = None  # what may be said of an order says nothing of a task
    return (found or _queried(reply)).on(complaint, submitting=False)


def is_nothing(reply: Reply) -> bool:
    """An answer without content: the way direct proxies say that they know no such task."""
    return 200 <= reply.status < 300 and reply.body.strip() in (b"", b"null")


def _complaint(reply: Reply) -> tuple[Complaint, Complaint]:
    """What a refusal says, and the same with all the text in it that known words may stand in."""
    try:
        document = reply.object()
    except UnrecognizedReply:
        excerpt = reply.excerpt()
        if reply.is_page:
            page = told_in(Complaint(f"HTML with HTTP {reply.status}: {excerpt}"), reply)
            return page, replace(page, message="")
        plain = told_in(Complaint(excerpt), reply)
        return plain, plain
    error = mapping(document.get("error"))
    message = (
        text(document.get("description"))
        or text(error.get("message"))
        or text(document.get("message"))
        or text(document.get("error"))
    )
    code = integer(document.get("code"))
    named = text(document.get("code")) or text(error.get("code"))
    banned = text(mapping(document.get("properties")).get("bannedWord"))
    told = Complaint(
        ": ".join(filter(None, (message, banned))),
        named if code is None else str(code),
        kind=text(document.get("type")) or text(error.get("type")),
    )
    told = told_in(told, reply, document)
    return told, replace(told, message=f"{message} {text(document.get('result'))}")


def _submitted(reply: Reply) -> Verdict:
    """What the HTTP status alone says of a submit."""
    status = reply.status
    if status == 403 and reply.is_page:
        return DOWN  # a gateway's word, not the station's
    if 300 <= status < 400 or (status < 300 and reply.is_page):
        return UNSUPPORTED  # relays answer unknown paths with their dashboard
    return by_status(status)


def _queried(reply: Reply) -> Verdict:
    """What the HTTP status alone says of a query. A slow or broken look is never a failure."""
    status = reply.status
    if is_nothing(reply):
        return NOT_FOUND
    if reply.is_page:
        return DOWN if status in (403, 413) else CLEAR_STATUSES.get(status, DOWN)
    if status in (404, 405, 408, 425) or status >= 500 or 300 <= status < 400:
        return DOWN  # no proxy says so of a task: the route itself is away
    return UNREADABLE if status == 413 else CLEAR_STATUSES.get(status, UNREADABLE)
