"""Why an accepted task ended without a result."""

from collections.abc import Mapping
from dataclasses import replace

from generation.contract.errors import ErrorCode
from generation.contract.status import Failed
from generation.providers.kit.complaints import unfolded
from generation.providers.kit.refusals import Refusals, failure
from generation.providers.kit.verdicts import (
    BROKEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    TOO_FAST,
    Verdict,
    rules,
    words,
)
from generation.providers.luma.complaints import LumaComplaint, read_packed
from generation.providers.luma.faults import MODERATION

#: The Agents API's `failure_code`.
_CODES: Mapping[str, Verdict] = {
    "content_moderated": MODERATED,
    "generation_failed": BROKEN,
    "output_not_found": BROKEN,
    "rate_limited": TOO_FAST,
    "budget_exhausted": NO_CREDIT,
    "image_too_large": INVALID,
    "unsupported_format": INVALID,
    "corrupt_input": INVALID,
    "invalid_request": INVALID,
}
_REFUSALS = Refusals(codes=_CODES, plain=rules((MODERATION, MODERATED)))

#: The same input would fail again: `Generation failed due to invalid keyframe asset.`
_FINAL = words(r"invalid|unsupported|corrupt|too large")


def failure_of(reason: str, code: str = "") -> Failed:
    """The failure an upstream tells of. Its code decides, and its words where there is none."""
    complaint = unfolded(LumaComplaint(reason, code), read_packed)
    failed = failure(complaint, _REFUSALS.by_words(complaint))
    in_words = failed.code is ErrorCode.UPSTREAM_FAILED and complaint.code.lower() not in _CODES
    final = in_words and _FINAL.search(complaint.said)
    return replace(failed, retryable=False) if final else failed
