"""
What may have been done, and charged, after each thing that a station complains about.

The service's code decides first, its words second and the HTTP status last: a spent token is a 401,
and a model nobody serves at the moment a 503. There is no task to ask about later, so whatever
breaks on the way leaves the order in doubt for good.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from generation.complaint import (
    AUTH,
    BROKEN,
    BY_STATUS,
    DOWN,
    FORBIDDEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    TOO_FAST,
    UNREADABLE,
    UNSUPPORTED,
    Complaint,
    Verdict,
    first,
    rules,
    wordless,
)
from generation.errors import Fault
from generation.providers.openai.reasons import is_moderation
from generation.reply import Reply

_BY_CODE: Mapping[str, Verdict] = {
    "insufficient_quota": NO_CREDIT,
    "insufficient_user_quota": NO_CREDIT,
    "quota_not_enough": NO_CREDIT,
    "pre_consume_token_quota_failed": NO_CREDIT,
    "billing_hard_limit_reached": NO_CREDIT,
    "1008": NO_CREDIT,  # MiniMax
    "invalid_api_key": AUTH,
    "account_deactivated": AUTH,
    "rate_limit_exceeded": TOO_FAST,
    "get_channel_failed": NO_ROOM,
    "channel:no_available_key": NO_ROOM,
    "model_not_found": UNSUPPORTED,
    "model_price_error": UNSUPPORTED,
    "invalid_api_type": UNSUPPORTED,
    "api_not_implemented": UNSUPPORTED,
    "not_implemented": UNSUPPORTED,
    "context_length_exceeded": INVALID,
    "unknown_parameter": INVALID,
    "missing_required_parameter": INVALID,
    "invalid_image_url": INVALID,
    "invalid_size": INVALID,
    # The relay's own trouble on the way to its upstream, or after that had answered.
    "do_request_failed": BROKEN,
    "read_response_body_failed": BROKEN,
    "unmarshal_response_body_failed": BROKEN,
    "copy_response_body_failed": BROKEN,
    "bad_response_body": BROKEN,
}


#: What a station says before it does anything, whatever the code and the status. The first that
#: fits decides.
_AT_THE_DOOR = rules(
    (
        (
            r"(insufficient|not enough|no( more)?|out of) (\w+ )?(credits?|balance|funds|quota)"
            r"|exceeded your current quota|billing (hard )?limit|payment required|quota_not_enough"
            r"|余额不足|余额已|额度不足|额度已|预扣费|欠费|剩余额度"
        ),
        NO_CREDIT,
    ),
    (
        r"无可用渠道|no available channel|concurren(t|cy)|at capacity|overloaded|并发",
        NO_ROOM,
    ),
    (
        r"too many requests|rate.?limit|throttl|too fast|频繁|过快|限流|负载已饱和",
        TOO_FAST,
    ),
)

#: Words that mean one thing whatever the status, where the code is none we know.
_CLEAR_WORDS = rules(
    (
        (
            r"(no permission|not (allowed|permitted|authori[sz]ed)|(no|not have) access)\b.*\bmodel"
            r"|model\b.*(no permission|not (allowed|permitted)|(no|not have) access)"
            r"|无权(访问|使用)模型|不在令牌允许"
        ),
        FORBIDDEN,
    ),
    (
        (
            r"unauthenticated|unauthori[sz]ed|user is locked|未提供令牌|无效的令牌"
            r"|令牌已(过期|失效)|令牌状态不可用|用户已被封禁"
            r"|(invalid|incorrect|missing|expired) (\w+ )?(api.?key|access.?key|token|credential)"
        ),
        AUTH,
    ),
    (
        (
            r"invalid url \(|(not|isn't) implemented|model\b.{0,80} (does not|doesn't) exist"
            r"|模型不存在|不支持的?模型"
        ),
        UNSUPPORTED,
    ),
)

#: Statuses that mean one thing where neither code nor words say otherwise.
_BY_STATUS: Mapping[int, Verdict] = {**BY_STATUS, 501: UNSUPPORTED}


def fault_of(complaint: Complaint) -> Fault | None:
    """
    The complaint as the fault it is; None where it says no more than that the order has failed.
    """
    verdict = _verdict(complaint)
    return verdict.on(complaint) if verdict else None


def wordless_fault(reply: Reply) -> Fault:
    """
    The fault of an answer that is no JSON object: a gateway's page, a relay's dashboard where it
    has no such path, or the torso of something.
    """
    complaint = wordless(reply)
    if reply.is_page and reply.status == 403:
        return DOWN.on(complaint)  # a guard before the station, which knows nothing of us
    if 300 <= reply.status < 400 or (reply.is_page and reply.status < 300):
        said = (
            "the station answered with a web page: its url or the provider's prefix in the"
            f" settings leads elsewhere. {complaint.message}"
        )
        return UNSUPPORTED.on(replace(complaint, message=said))
    return (_by_status(reply.status) if reply.status >= 400 else UNREADABLE).on(complaint)


def _verdict(complaint: Complaint) -> Verdict | None:
    # Before the codes: to a relay a model is "not found" while its channels are only away.
    if found := first(_AT_THE_DOOR, complaint.message):
        return found
    if is_moderation(complaint.message, complaint.code):
        return MODERATED
    if found := _BY_CODE.get(complaint.code.lower()) or first(_CLEAR_WORDS, complaint.message):
        return found
    code = complaint.code
    if complaint.status >= 400:
        return _by_status(complaint.status)
    # A code of three digits is an HTTP status that a station passes on.
    if re.fullmatch("4[0-9]{2}", code):
        return _by_status(int(code))
    # OpenAI's form says so to nearly everything: no reason to believe it against a status.
    return INVALID if code.lower().startswith(("invalid_request", "invalid_parameter")) else None


def _by_status(status: int) -> Verdict:
    return _BY_STATUS.get(status, BROKEN if status >= 500 else INVALID)
