"""
Why an accepted task ended without a result, in the words of Suno, of a Suno-API or of a relay.

What is not known here is `upstream_failed`.
"""

import re

from generation.errors import ErrorCode
from generation.status import Failed

#: Suno's own sentences about songs it will not make; a refused submit may quote them too.
MODERATION = (
    r"artist name|moderation|copyright|inappropriate|lyrics.{0,80}not allowed"
    r"|sensitive[ _]?word|content policy|敏感|违规|审核"
)
#: The Suno account behind the station has a dead session, or Suno wants a person to click.
SESSION = r"captcha|unauthori[sz]ed|token validation|\b422\b"

#: Pattern, code, and whether a new task may well succeed. The first that matches counts.
_REASONS = tuple(
    (re.compile(pattern, re.IGNORECASE), code, retryable)
    for pattern, code, retryable in (
        (MODERATION, ErrorCode.MODERATED, False),
        (r"time[ _-]?out|timed out|任务超时|超时", ErrorCode.UPSTREAM_FAILED, True),
        (
            r"too many running jobs|too many requests|rate.?limit|\b429\b|负载已饱和",
            ErrorCode.RATE_LIMITED,
            True,
        ),
        # The account behind the station, not our own; another station may have better.
        (r"insufficient|\b402\b|quota|credits|余额|额度", ErrorCode.OUT_OF_CREDITS, True),
        (SESSION, ErrorCode.UNAVAILABLE, True),
        (r"获取渠道信息失败|无可用渠道|渠道已被禁用", ErrorCode.UNAVAILABLE, True),
    )
)

#: Enough for a person to read; stations pass whole pages on.
LONGEST_REASON = 500


def failure(reason: str, kind: str = "") -> Failed:
    """
    The failure a reason tells of. `kind` is the service's own word for it, such as
    `moderation_failure`; it counts as much as the reason and becomes the `upstream_code`.
    """
    message = reason[:LONGEST_REASON] or kind or "the task failed and no reason was given"
    said = f"{kind} {reason}"
    upstream_code = kind or None
    for pattern, code, retryable in _REASONS:
        if pattern.search(said):
            return Failed(message, code, retryable, upstream_code)
    return Failed(message, upstream_code=upstream_code)
