"""Why an accepted task ended without a result."""

import re
from collections.abc import Mapping

from generation.complaint import LONGEST_CODE, LONGEST_MESSAGE, words
from generation.errors import ErrorCode
from generation.providers.luma.complaints import LumaComplaint, unfolded
from generation.providers.luma.faults import MODERATION
from generation.status import Failed

#: The Agents API's `failure_code`: what it is to us, and whether a new task may well succeed.
_BY_CODE: Mapping[str, tuple[ErrorCode, bool]] = {
    "content_moderated": (ErrorCode.MODERATED, False),
    "generation_failed": (ErrorCode.UPSTREAM_FAILED, True),
    "output_not_found": (ErrorCode.UPSTREAM_FAILED, True),
    "rate_limited": (ErrorCode.RATE_LIMITED, True),
    "budget_exhausted": (ErrorCode.OUT_OF_CREDITS, True),
    "image_too_large": (ErrorCode.INVALID_REQUEST, False),
    "unsupported_format": (ErrorCode.INVALID_REQUEST, False),
    "corrupt_input": (ErrorCode.INVALID_REQUEST, False),
    "invalid_request": (ErrorCode.INVALID_REQUEST, False),
}

#: The same input would fail again: `Generation failed due to invalid keyframe asset.`
_FINAL = re.compile(r"invalid|unsupported|corrupt|too large", re.IGNORECASE)


def failure_of(reason: str, code: str = "") -> Failed:
    """The failure an upstream tells of. Its code decides, and its words where there is none."""
    complaint = unfolded(LumaComplaint(reason, code))
    message = complaint.message or complaint.code or "the upstream gave no reason"
    kind, retryable = _BY_CODE.get(complaint.code.lower()) or _by_words(message)
    return Failed(
        message[:LONGEST_MESSAGE],
        kind,
        retryable=retryable,
        upstream_code=complaint.code[:LONGEST_CODE] or None,
    )


def _by_words(message: str) -> tuple[ErrorCode, bool]:
    if words(MODERATION).search(message):
        return ErrorCode.MODERATED, False
    return ErrorCode.UPSTREAM_FAILED, not _FINAL.search(message)
