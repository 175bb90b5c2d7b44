"""Why a complete answer has no result: refusals in words, and finish reasons."""

import re

from generation.contract.errors import ErrorCode
from generation.contract.status import Failed
from generation.providers.kit import moderation

#: Enough of a complaint for a person to read.
LONGEST_REASON = 500
#: What a model writes in place of a picture is kept longer: it is all that the caller gets.
LONGEST_WORDS = 4000

#: How a model declines in plain words, for what was asked and not for what it can do.
_DECLINED = re.compile(
    r"\b(can(no|')?t|can’t|cannot|unable to|not able to|won't|won’t) "
    r"(help|assist|comply|fulfil|process|generate|create|edit|produce|draw|make)\w*"
    r" (you )?(with )?(that|this|your|such|it\b"
    r"|(an? |the )?(image|picture)s? (of|that|based|depict|with))"
    r"|(无法|不能)(满足|协助|帮助|处理|完成|生成|编辑|提供)(您的|你的|该|此|这个|这张|这一|这类)",
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

#: What finish reasons have in them that mean that the model broke.
_BROKE = re.compile(
    r"error|fail|malformed|insufficient|interrupt|abort|cancel|time_?out|overload|unavailable",
    re.IGNORECASE,
)


def is_moderation(message: str, code: str = "") -> bool:
    """Whether a complaint is about content."""
    return moderation.is_code(code) or moderation.is_said(message)


def refusal(words: str, *, broke_off: bool) -> Failed:
    """Return the failure for an answer in words where a picture was ordered.

    It is `moderated` if they speak of content, `upstream_failed` if they report that the work broke
    off, and `asset_missing` otherwise.
    """
    message = words[:LONGEST_WORDS]
    if is_moderation(message) or _DECLINED.search(message):
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
    if moderation.is_code(finish_reason):
        said = words[:LONGEST_WORDS] or f"the upstream held the answer back: {finish_reason}"
        return Failed(said, ErrorCode.MODERATED, upstream_code=finish_reason)
    if _BROKE.search(finish_reason):
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
