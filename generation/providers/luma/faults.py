"""
What may exist upstream after each thing that Luma and its relays complain about.

The service's code decides first, its words second and the HTTP status last: the vendor says 400 for
a bad field, for a moderated prompt and for an empty account alike, and relays say it all with 200.
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
from generation.providers.luma.complaints import Complaint, wordless


@dataclass(frozen=True, slots=True)
class _Sort:
    """What a complaint amounts to."""

    fault: type[Fault]
    code: ErrorCode


_AUTH = _Sort(AccountBlocked, ErrorCode.AUTH)
_CREDITS = _Sort(AccountBlocked, ErrorCode.OUT_OF_CREDITS)
_INVALID = _Sort(Rejected, ErrorCode.INVALID_REQUEST)
_UNSUPPORTED = _Sort(Rejected, ErrorCode.UNSUPPORTED)
_NOT_FOUND = _Sort(Rejected, ErrorCode.NOT_FOUND)
_MODERATED = _Sort(Rejected, ErrorCode.MODERATED)
_TOO_FAST = _Sort(Throttled, ErrorCode.RATE_LIMITED)
_NO_ROOM = _Sort(QueueFull, ErrorCode.QUEUE_FULL)
#: One of the relay's own accounts at Luma is out of order; the relay has others.
_CHANNEL_DOWN = _Sort(NotAccepted, ErrorCode.UNAVAILABLE)
#: A guard before the upstream turned the request away, and knows nothing of our key.
_DOWN = _Sort(NotAccepted, ErrorCode.UNAVAILABLE)
#: The request arrived somewhere and broke; how far it came before is unknown.
_BROKEN = _Sort(InDoubt, ErrorCode.IN_DOUBT)
_UNREADABLE = _Sort(UnrecognizedReply, ErrorCode.BAD_RESPONSE)

_BY_CODE: Mapping[str, _Sort] = {
    # The Agents API's codes of failure.
    "content_moderated": _MODERATED,
    "budget_exhausted": _CREDITS,
    "rate_limited": _TOO_FAST,
    "image_too_large": _INVALID,
    "unsupported_format": _INVALID,
    "corrupt_input": _INVALID,
    "invalid_request": _INVALID,
    # Relays of the new-api family, and OpenAI's form.
    "insufficient_quota": _CREDITS,
    "insufficient_user_quota": _CREDITS,
    "quota_not_enough": _CREDITS,
    "pre_consume_token_quota_failed": _CREDITS,
    "invalid_api_key": _AUTH,
    "task_not_exist": _NOT_FOUND,
    "model_not_found": _NO_ROOM,
    "get_channel_failed": _NO_ROOM,
    "model_price_error": _UNSUPPORTED,
    "invalid_api_platform": _UNSUPPORTED,
    "do_request_failed": _BROKEN,
}


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


#: Luma's failures name no code for moderation; these words tell it.
MODERATION = _words(
    r"moderat|safety|policy|nsfw|inappropriate|prohibited|sensitive|敏感|违规|审核|风控"
)
#: The first words that fit decide.
_Words = tuple[tuple[re.Pattern[str], _Sort], ...]

#: Said by whoever turns a request away at the door, so that nothing can have begun: these words
#: mean the same with every status.
_AT_THE_DOOR: _Words = (
    (
        _words(r"no available (channel|account)|无可用渠道|负载已饱和|queue (is )?full|队列已满"),
        _NO_ROOM,
    ),
    (
        _words(
            r"invalid (api.?key|token|secret)|secret token|incorrect api key|无效的令牌|未提供令牌"
            r"|令牌已过期|令牌状态不可用|用户已被封禁"
        ),
        _AUTH,
    ),
    (
        _words(
            r"insufficient.{0,20}(credit|balance|quota|fund)|(余额|额度).*(不足|用尽|失败)|欠费"
            r"|exceeded your current quota"
        ),
        _CREDITS,
    ),
    (_words(r"too many requests|rate.?limit|requests per|请求.*(频繁|过快|过多)"), _TOO_FAST),
)

#: Words that decide where the upstream read the request and did not break over it.
_CLEAR_WORDS: _Words = (
    (_words(r"concurren|parallel|并发"), _NO_ROOM),
    (_words(r"invalid url \("), _UNSUPPORTED),
    (_words(r"too (fast|many|frequent)|throttl"), _TOO_FAST),
    (_words(r"credit|\bbalance\b|quota|payment|billing|budget|余额|额度"), _CREDITS),
    (MODERATION, _MODERATED),
    (
        _words(
            r"(generation|task)\S*( id)?( was| is)? not found|(generation|task).*(not|n't) exist"
            r"|no such (generation|task)|任务不存在"
        ),
        _NOT_FOUND,
    ),
)

#: Statuses that mean one thing where neither code nor clear words say otherwise.
_CLEAR_STATUSES: Mapping[int, _Sort] = {
    400: _INVALID,
    401: _AUTH,
    402: _CREDITS,
    403: _AUTH,
    405: _UNSUPPORTED,
    # The vendor's own client sends these again. Nothing says that no task was created before.
    408: _BROKEN,
    409: _BROKEN,
    413: _INVALID,
    415: _INVALID,
    422: _INVALID,
    425: _BROKEN,
    429: _TOO_FAST,
}
#: What a gateway's page may decide about a look. Its 403 comes from a guard.
_PAGE_STATUSES = frozenset({401, 402, 413, 429})

#: Refusals that came with a good HTTP status, by words too common to outweigh any of the above.
_FAINT_WORDS = _words(r"invalid|must|required|exceed|not supported|unsupported|too (short|long)")

#: `400: concepts are not supported for this model`: a status of which only the text is left.
_STATUS_IN_TEXT = re.compile(r"([45][0-9]{2})\s*:")
_STATUS_AS_CODE = re.compile(r"[45][0-9]{2}")

#: Enough for a person to read; relays pass whole pages on.
LONGEST_MESSAGE = 500


def fault_of(complaint: Complaint, *, submitting: bool, relayed: bool) -> Fault:
    """
    The complaint as the fault it is. `relayed` where the key is a relay's and Luma's account is the
    relay's own. An upstream that broke leaves a submit in doubt, and a look without news.
    """
    return _fault(_sort(complaint, submitting, relayed), complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """The fault of an answer that is no JSON object: a page, a bare text, the torso of something"""
    complaint = wordless(reply)
    status = reply.status
    page = reply.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if submitting and (300 <= status < 400 or (page and status < 300)):
        sort = _UNSUPPORTED  # a redirect, which is not followed, or the dashboard: no such path
    elif submitting and status == 403 and page:
        sort = _DOWN
    elif page and not (submitting and 400 <= status < 500) and status not in _PAGE_STATUSES:
        sort = _BROKEN
    elif status < 300 or (status == 404 and not submitting):
        sort = _UNREADABLE  # a route that is not there says nothing about a task
    else:
        sort = _sort(complaint, submitting, relayed=False)
    return _fault(sort, complaint, submitting=submitting)


def _fault(sort: _Sort, complaint: Complaint, *, submitting: bool) -> Fault:
    code = sort.code
    if not submitting and code is ErrorCode.IN_DOUBT:
        code = ErrorCode.UNAVAILABLE
    return sort.fault(
        complaint.message[:LONGEST_MESSAGE],
        code=code,
        upstream_status=complaint.status or None,
        upstream_code=complaint.code[:LONGEST_MESSAGE] or None,
        retry_after=complaint.retry_after,
    )


def _sort(complaint: Complaint, submitting: bool, relayed: bool) -> _Sort:
    if found := _BY_CODE.get(complaint.code.lower()):
        return found
    status = _status(complaint)
    if found := _first(_AT_THE_DOOR, complaint.message):
        return found
    if status >= 500:
        return _BROKEN
    if found := _first(_CLEAR_WORDS, complaint.message):
        return found
    if relayed and complaint.from_luma and status in (401, 403):
        return _CHANNEL_DOWN  # the relay passed our key, and lost its own login at Luma
    return _by_status(status, complaint, submitting)


def _first(rules: _Words, message: str) -> _Sort | None:
    return next((sort for words, sort in rules if words.search(message)), None)


def _by_status(status: int, complaint: Complaint, submitting: bool) -> _Sort:
    if status == 404:
        return _UNSUPPORTED if submitting else _NOT_FOUND
    if status < 400 and _FAINT_WORDS.search(complaint.message):
        return _INVALID
    return _CLEAR_STATUSES.get(status, _UNREADABLE)


def _status(complaint: Complaint) -> int:
    """The status that decides: one that the complaint itself names, else the answer's own."""
    if _STATUS_AS_CODE.fullmatch(complaint.code):
        return int(complaint.code)
    named = _STATUS_IN_TEXT.match(complaint.message)
    return int(named[1]) if named else complaint.status
