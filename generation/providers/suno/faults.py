"""
What may exist upstream after each thing that a station of the Suno-API family complains about.

The service's code decides first, its words second and the HTTP status last: a spent token is a 401,
and everything a relay hears from its upstream is called `fail_to_fetch_task`.
"""

import re
from collections.abc import Mapping

from generation.complaint import (
    AUTH,
    BROKEN,
    BY_STATUS,
    CHANNEL_GONE,
    DOWN,
    FORBIDDEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
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
from generation.providers.suno.reasons import MODERATION
from generation.reply import Reply

#: Suno's own status line, which a Suno-API passes on as its message.
_STATUS_LINE = re.compile(r"([45][0-9]{2})( [A-Za-z].*)?")

_BY_CODE: Mapping[str, Verdict] = {
    "quota_not_enough": NO_CREDIT,
    "insufficient_user_quota": NO_CREDIT,
    "invalid_action": UNSUPPORTED,
    "invalid_api_platform": UNSUPPORTED,
    "model_price_error": UNSUPPORTED,
    "task_not_exist": NOT_FOUND,
    "task_channel_disable": CHANNEL_GONE,
    "channel_not_found": CHANNEL_GONE,
    # The relay's own trouble on the way to its upstream, or after the upstream accepted.
    "do_request_failed": BROKEN,
    "read_response_body_failed": BROKEN,
    "unmarshal_response_body_failed": BROKEN,
    "copy_response_body_failed": BROKEN,
    "insert_task_failed": BROKEN,
    # Stations in the vendor's official style.
    "430": TOO_FAST,
    "455": DOWN,  # closed for maintenance
}


#: Words that mean one thing whatever the status. The first that fits decides.
_CLEAR_WORDS = rules(
    (
        (
            r"额度已用尽|额度不足|余额不足|预扣费额度失败|quota is not enough|payment required"
            r"|(insufficient|not enough|no) (user )?(credits?|balance|quota)"
            r"|credits? (are|is) (insufficient|not enough)"
        ),
        NO_CREDIT,
    ),
    (
        r"no access to model|无权访问模型|不在令牌允许访问|无权使用模型",
        FORBIDDEN,
    ),
    (
        (
            r"无效的令牌|未提供令牌|令牌已过期|令牌状态不可用|用户已被封禁"
            r"|invalid (api[ _-]?)?(key|token)|unauthori[sz]ed|captcha|token validation"
        ),
        AUTH,
    ),
    (r"无可用渠道|no available channel", NO_ROOM),
    (
        r"负载已饱和|too many (running jobs|requests)|rate.?limit|too frequent|频繁",
        TOO_FAST,
    ),
    (r"渠道已被禁用|获取渠道信息失败", CHANNEL_GONE),
    (r"invalid[_ ]action|invalid url \(|no such (path|route)", UNSUPPORTED),
    (
        r"task(_origin|[ _]id)?( \S+)?[_ ](is |does )?not[_ ](exist|found)|任务不存在",
        NOT_FOUND,
    ),
    (MODERATION, MODERATED),
    # Suno answered a Suno-API, and began nothing.
    (r"^task failed$", DOWN),
)

#: What Suno's own status means, which a Suno-API passes on: a dead session is a 401 or a 422.
_BY_SUNO_STATUS: Mapping[int, Verdict] = {
    401: AUTH,
    402: NO_CREDIT,
    403: AUTH,
    422: AUTH,
    429: TOO_FAST,
    503: DOWN,
}


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """The complaint as the fault it is. While looking, what broke is only a look without news."""
    return _verdict(complaint).on(complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """
    The fault of an answer that is no JSON object: a gateway's page, a relay's dashboard where it
    has no such path, or the torso of something.
    """
    return _of_wordless(reply, submitting).on(wordless(reply), submitting=submitting)


def _of_wordless(reply: Reply, submitting: bool) -> Verdict:
    status = reply.status
    if status == 403 and reply.is_page:
        return DOWN  # a guard before the station, which knows nothing of our key
    if not submitting and (reply.is_page or status >= 300) and status not in (401, 402, 403, 429):
        return DOWN
    if status >= 500:
        return BROKEN
    if 300 <= status < 400 or (status < 300 and reply.is_page):
        return UNSUPPORTED
    return BY_STATUS.get(status, UNREADABLE)


def _verdict(complaint: Complaint) -> Verdict:
    if known := _BY_CODE.get(complaint.code.lower()):
        return known
    if line := _STATUS_LINE.fullmatch(complaint.message.strip()):
        status = int(line[1])
        return _BY_SUNO_STATUS.get(status) or _by_status(status)
    if found := first(_CLEAR_WORDS, complaint.message):
        return found
    return _by_status(complaint.deciding_status)


def _by_status(status: int) -> Verdict:
    unknown = BROKEN if status >= 500 else INVALID if status >= 400 else UNREADABLE
    return BY_STATUS.get(status, unknown)
