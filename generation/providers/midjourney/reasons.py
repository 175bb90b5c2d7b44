"""
Why a task failed, from its `failReason`.

Proxies write `[title] description` or `title, description`, in English or Chinese, and some
stations mask everything as "任务处理失败"; what is not known here is `upstream_failed`.
"""

import re

from generation.errors import ErrorCode
from generation.status import Failed

#: Pattern, code, and whether a new task may well succeed. The first that matches counts.
_REASONS = tuple(
    (re.compile(pattern, re.IGNORECASE), code, retryable)
    for pattern, code, retryable in (
        (
            r"banned prompt|invalid prompt|敏感词|image denied|content policy"
            r"|cancell?ed due to.*filter|AI moderator|\bblocked\b",
            ErrorCode.MODERATED,
            False,
        ),
        (
            r"invalid[ _](parameter|link|form body)|empty prompt|action needed|parameter error"
            r"|未找到父级任务|未找到目标图片|未知操作|不支持的操作",
            ErrorCode.INVALID_REQUEST,
            False,
        ),
        (r"queue full|job queued|队列已满", ErrorCode.QUEUE_FULL, True),
        # The Midjourney account behind the proxy, not our own; another station may have better.
        (
            r"subscription (required|paused)|\bout of\b|任务失败，请重试|limited to pro and mega",
            ErrorCode.OUT_OF_CREDITS,
            True,
        ),
        (r"pending mod message|captcha|CF 验证", ErrorCode.UNAVAILABLE, True),
        (r"超时|timeout|timed out", ErrorCode.UPSTREAM_FAILED, True),
        (
            r"实例不可用|无可用的账号|服务异常|failed to process your command"
            r"|internal server error|获取渠道信息失败",
            ErrorCode.UNAVAILABLE,
            True,
        ),
        (r"取消|cancell?ed", ErrorCode.CANCELED, False),
        (r"操作失败|文件上传失败|文件不存在", ErrorCode.UPSTREAM_FAILED, True),
    )
)


def failure(reason: str) -> Failed:
    """The failure a `failReason` tells of; empty means that the proxy gave none."""
    for pattern, code, retryable in _REASONS:
        if pattern.search(reason):
            return Failed(reason, code, retryable)
    return Failed(reason or "the task failed and no reason was given")
