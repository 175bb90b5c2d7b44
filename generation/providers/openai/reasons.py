"""
Why an answer that came in good order holds no result: what a model writes in place of a picture,
and how it says that it stopped.
"""

import re

from generation.errors import ErrorCode
from generation.status import Failed

#: Enough of a complaint for a person to read.
LONGEST_REASON = 500
#: What a model writes in place of a picture is kept longer: it is all that the caller gets.
LONGEST_WORDS = 4000

_MODERATION_CODES = re.compile(
    r"content_filter|content_policy_violation|moderation_blocked|input_moderation|prompt_blocked"
    r"|sensitive.*|.*SensitiveContentDetected.*|DataInspectionFailed|data_inspection_failed"
    r"|content_moderation|safety|prohibited_content|blocklist|image_safety|102[67]|1301",
    re.IGNORECASE,
)
_MODERATION_WORDS = re.compile(
    r"content[ _-]?(policy|policies|filter|moderation|management policy)"
    r"|safety (system|check|filter)"
    r"|moderation[_ ](block|fail)|input_moderation|output_moderation"
    r"|(failed|blocked|rejected|refused)\b.{0,30}\bmoderation|\bflagged\b"
    r"|(usage|our|safety|community) (\w+ )?(policy|policies|guidelines|guardrails)"
    r"|violat\w+.{0,60}(polic|guideline|terms|rules)|prohibited content|inappropriate"
    r"|(?<!case-)(?<!case )\bsensitive|nsfw|违规|违反|敏感|审核|不合规|不适宜",
    re.IGNORECASE,
)
_BUSY_WORDS = re.compile(
    r"too many requests|rate.?limit|try again (later|in)|频繁|限流|繁忙|人数过多|稍后(再试|重试)"
    r"|负载已饱和",
    re.IGNORECASE,
)
#: A relay's own report that the work broke off, rather than a model's refusal to begin it.
_BROKE_WORDS = re.compile(
    r"生成失败|任务失败|超时|time[ -]?out|timed out|network error|internal error", re.IGNORECASE
)

#: Finish reasons, in lower case, that mean the content was held back.
_HELD_BACK = frozenset(
    {"content_filter", "safety", "prohibited_content", "blocklist", "image_safety", "sensitive"}
)
#: Finish reasons that mean that the model broke.
_BROKE = frozenset({"error", "network_error", "insufficient_system_resource", "model_error"})


def is_moderation(message: str, code: str = "") -> bool:
    """Whether a complaint is about content."""
    coded = bool(code) and _MODERATION_CODES.fullmatch(code)
    return bool(coded or _MODERATION_WORDS.search(message))


def refusal(words: str, *, broke_off: bool) -> Failed:
    """
    An answer in words where a picture was ordered: `moderated` if they speak of content,
    `upstream_failed` if they report that the work broke off, `asset_missing` if they just talk.
    """
    message = words[:LONGEST_WORDS]
    if is_moderation(message):
        return Failed(message, ErrorCode.MODERATED)
    if _BUSY_WORDS.search(message):
        return Failed(message, ErrorCode.RATE_LIMITED, retryable=True)
    if broke_off or _BROKE_WORDS.search(message):
        return Failed(message, retryable=True)
    return Failed(message, ErrorCode.ASSET_MISSING)


def failed(words: str, code: str) -> Failed:
    """An answer that says only that the order has failed."""
    said = words[:LONGEST_REASON] or "the upstream gave no reason"
    return Failed(said, retryable=True, upstream_code=code[:100] or None)


def held_back(finish_reason: str, words: str) -> Failed | None:
    """The failure that a finish reason tells of; None where it tells of none."""
    reason = finish_reason.lower()
    if reason in _HELD_BACK:
        said = words[:LONGEST_WORDS] or f"the upstream held the answer back: {finish_reason}"
        return Failed(said, ErrorCode.MODERATED, upstream_code=finish_reason)
    if reason in _BROKE:
        said = words[:LONGEST_WORDS] or f"the upstream broke off: {finish_reason}"
        return Failed(said, retryable=True, upstream_code=finish_reason)
    return None


def nothing_in_it(what: str) -> Failed:
    """A whole answer with nothing in it that could be given to the caller."""
    return Failed(what[:LONGEST_REASON], ErrorCode.ASSET_MISSING)


def refused(words: str) -> Failed:
    """A model's own refusal, which services keep apart from an answer."""
    return Failed(words[:LONGEST_REASON], ErrorCode.MODERATED)


def moderated_away() -> Failed:
    """A whole answer whose pictures were taken out."""
    return Failed(
        "the upstream answered with no picture at all, which is how it says that what was made was"
        " held back",
        ErrorCode.MODERATED,
    )


def broken_off(words: str, code: str | None) -> Failed:
    """An error in the middle of an answer: something was done, and it is not usable."""
    moderated = is_moderation(words, code or "")
    return Failed(
        f"the answer broke off: {words}"[:LONGEST_REASON],
        ErrorCode.MODERATED if moderated else ErrorCode.UPSTREAM_FAILED,
        retryable=not moderated,
        upstream_code=(code or "")[:100] or None,
    )
