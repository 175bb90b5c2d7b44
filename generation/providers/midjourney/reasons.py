"""Why a task failed, from its `failReason`.

Proxies write `[title] description` or `title, description`, in English or Chinese, and some
stations mask everything as "任务处理失败".
"""

from generation.contract.errors import ErrorCode, Rejected
from generation.contract.status import Failed
from generation.providers.kit import refusals
from generation.providers.kit.complaints import Complaint
from generation.providers.kit.verdicts import (
    BROKEN,
    DOWN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    Verdict,
    first,
    rules,
)

_CANCELED = Verdict(Rejected, ErrorCode.CANCELED)

_REASONS = rules(
    # The Midjourney account behind the proxy, not the prompt.
    (r"blocked from accessing|account (is |has been |was )?(banned|blocked|suspended)", DOWN),
    (
        r"banned prompt|invalid prompt|敏感词|image denied|content policy"
        r"|cancell?ed due to.*filter|AI moderator|\bblocked\b",
        MODERATED,
    ),
    (
        r"invalid[ _](parameter|link|form body)|empty prompt|action needed|parameter error"
        r"|未找到父级任务|未找到目标图片|未知操作|不支持的操作",
        INVALID,
    ),
    (r"queue full|job queued|队列已满", NO_ROOM),
    # Another station may have a better account.
    (
        r"subscription (required|paused)|\bout of\b|任务失败，请重试|limited to pro and mega",
        NO_CREDIT,
    ),
    (r"pending mod message|captcha|CF 验证", DOWN),
    (r"超时|timeout|timed out", BROKEN),
    (
        r"实例不可用|无可用的账号|服务异常|failed to process your command"
        r"|internal server error|获取渠道信息失败",
        DOWN,
    ),
    (r"取消|cancell?ed", _CANCELED),
    (r"操作失败|文件上传失败|文件不存在", BROKEN),
)


def failure(reason: str) -> Failed:
    """The failure a `failReason` tells of; empty means that the proxy gave none."""
    complaint = Complaint(reason)
    verdict = first(_REASONS, complaint.said) or refusals.Refusals().by_words(complaint)
    return refusals.failure(complaint, verdict)
