"""
What may exist upstream after each thing that Luma and its relays complain about.

The service's code decides first, its words second and the HTTP status last: the vendor says 400 for
a bad field, for a moderated prompt and for an empty account alike, and relays say it all with 200.
"""

import re
from collections.abc import Mapping

from generation.complaint import (
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
    first,
    rules,
    words,
)
from generation.errors import Fault
from generation.providers.luma.complaints import LumaComplaint, wordless
from generation.reply import Reply

_BY_CODE: Mapping[str, Verdict] = {
    # The Agents API's codes of failure.
    "content_moderated": MODERATED,
    "budget_exhausted": NO_CREDIT,
    "rate_limited": TOO_FAST,
    "image_too_large": INVALID,
    "unsupported_format": INVALID,
    "corrupt_input": INVALID,
    "invalid_request": INVALID,
    # Relays of the new-api family, and OpenAI's form.
    "insufficient_quota": NO_CREDIT,
    "insufficient_user_quota": NO_CREDIT,
    "quota_not_enough": NO_CREDIT,
    "pre_consume_token_quota_failed": NO_CREDIT,
    "invalid_api_key": AUTH,
    "task_not_exist": NOT_FOUND,
    "model_not_found": NO_ROOM,
    "get_channel_failed": NO_ROOM,
    "model_price_error": UNSUPPORTED,
    "invalid_api_platform": UNSUPPORTED,
    "do_request_failed": BROKEN,
}


#: Luma's failures name no code for moderation; these words tell it.
MODERATION = r"moderat|safety|policy|nsfw|inappropriate|prohibited|sensitive|敏感|违规|审核|风控"
#: Said by whoever turns a request away at the door, so that nothing can have begun: these words
#: mean the same with every status.
_AT_THE_DOOR = rules(
    (
        r"no available (channel|account)|无可用渠道|负载已饱和|queue (is )?full|队列已满",
        NO_ROOM,
    ),
    (
        (
            r"invalid (api.?key|token|secret)|secret token|incorrect api key|无效的令牌|未提供令牌"
            r"|令牌已过期|令牌状态不可用|用户已被封禁"
        ),
        AUTH,
    ),
    (
        (
            r"insufficient.{0,20}(credit|balance|quota|fund)|(余额|额度).*(不足|用尽|失败)|欠费"
            r"|exceeded your current quota"
        ),
        NO_CREDIT,
    ),
    (r"too many requests|rate.?limit|requests per|请求.*(频繁|过快|过多)", TOO_FAST),
)

#: Words that decide where the upstream read the request and did not break over it.
_CLEAR_WORDS = rules(
    (r"concurren|parallel|并发", NO_ROOM),
    (r"invalid url \(", UNSUPPORTED),
    (r"too (fast|many|frequent)|throttl", TOO_FAST),
    (r"credit|\bbalance\b|quota|payment|billing|budget|余额|额度", NO_CREDIT),
    (MODERATION, MODERATED),
    (
        (
            r"(generation|task)\S*( id)?( was| is)? not found|(generation|task).*(not|n't) exist"
            r"|no such (generation|task)|任务不存在"
        ),
        NOT_FOUND,
    ),
)

#: Statuses that mean one thing where neither code nor clear words say otherwise.
_CLEAR_STATUSES: Mapping[int, Verdict] = {
    400: INVALID,
    401: AUTH,
    402: NO_CREDIT,
    403: AUTH,
    405: UNSUPPORTED,
    # The vendor's own client sends these again. Nothing says that no task was created before.
    408: BROKEN,
    409: BROKEN,
    413: INVALID,
    415: INVALID,
    422: INVALID,
    425: BROKEN,
    429: TOO_FAST,
}
#: What a gateway's page may decide about a look. Its 403 comes from a guard.
_PAGE_STATUSES = frozenset({401, 402, 413, 429})

#: Refusals that came with a good HTTP status, by words too common to outweigh any of the above.
_FAINT_WORDS = words(r"invalid|must|required|exceed|not supported|unsupported|too (short|long)")

#: `400: concepts are not supported for this model`: a status of which only the text is left.
_STATUS_IN_TEXT = re.compile(r"([45][0-9]{2})\s*:")
_STATUS_AS_CODE = re.compile(r"[45][0-9]{2}")


def fault_of(complaint: LumaComplaint, *, submitting: bool, relayed: bool) -> Fault:
    """
    The complaint as the fault it is. `relayed` where the key is a relay's and Luma's account is the
    relay's own. An upstream that broke leaves a submit in doubt, and a look without news.
    """
    return _verdict(complaint, submitting, relayed).on(complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """The fault of an answer that is no JSON object: a page, a bare text, the torso of something"""
    complaint = wordless(reply)
    status = reply.status
    page = reply.is_page
    if submitting and (300 <= status < 400 or (page and status < 300)):
        verdict = UNSUPPORTED  # a redirect, which is not followed, or the dashboard: no such path
    elif submitting and status == 403 and page:
        verdict = DOWN
    elif page and not (submitting and 400 <= status < 500) and status not in _PAGE_STATUSES:
        verdict = BROKEN
    elif status < 300 or (status == 404 and not submitting):
        verdict = UNREADABLE  # a route that is not there says nothing about a task
    else:
        verdict = _verdict(complaint, submitting, relayed=False)
    return verdict.on(complaint, submitting=submitting)


def _verdict(complaint: LumaComplaint, submitting: bool, relayed: bool) -> Verdict:
    if found := _BY_CODE.get(complaint.code.lower()):
        return found
    status = _status(complaint)
    if found := first(_AT_THE_DOOR, complaint.message):
        return found
    if status >= 500:
        return BROKEN
    if found := first(_CLEAR_WORDS, complaint.message):
        return found
    if relayed and complaint.from_luma and status in (401, 403):
        return DOWN  # the relay passed our key, and lost its own login at Luma
    return _by_status(status, complaint, submitting)


def _by_status(status: int, complaint: LumaComplaint, submitting: bool) -> Verdict:
    if status == 404:
        return UNSUPPORTED if submitting else NOT_FOUND
    if status < 400 and _FAINT_WORDS.search(complaint.message):
        return INVALID
    return _CLEAR_STATUSES.get(status, UNREADABLE)


def _status(complaint: LumaComplaint) -> int:
    """The status that decides: one that the complaint itself names, else the answer's own."""
    if _STATUS_AS_CODE.fullmatch(complaint.code):
        return int(complaint.code)
    named = _STATUS_IN_TEXT.match(complaint.message)
    return int(named[1]) if named else complaint.status
