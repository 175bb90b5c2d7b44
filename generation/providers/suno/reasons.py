"""Why an accepted task failed, in the words of Suno, of a Suno-API or of a relay."""

from generation.contract.status import Failed
from generation.providers.kit import refusals
from generation.providers.kit.complaints import Complaint
from generation.providers.kit.verdicts import (
    BROKEN,
    DOWN,
    MODERATED,
    NO_CREDIT,
    TOO_FAST,
    first,
    rules,
)

#: Suno's own sentences about songs it will not make; a refused submit may quote them too.
MODERATION = (
    r"artist name|moderation|copyright|inappropriate|lyrics.{0,80}not allowed"
    r"|sensitive[ _]?word|content policy|敏感|违规|审核"
)

_REASONS = rules(
    (MODERATION, MODERATED),
    (r"time[ _-]?out|timed out|任务超时|超时", BROKEN),
    (
        r"too many running jobs|too many requests|rate.?limit|\b429\b|负载已饱和",
        TOO_FAST,
    ),
    # The account behind the station, not our own; another station may have better.
    (r"insufficient|\b402\b|quota|credits|余额|额度", NO_CREDIT),
    (r"captcha|unauthori[sz]ed|token validation|\b422\b", DOWN),
    (r"获取渠道信息失败|无可用渠道|渠道已被禁用", DOWN),
)


def failure(reason: str, kind: str = "") -> Failed:
    """The failure a reason tells of.

    `kind` is the service's own word for it, such as `moderation_failure`; it counts as much as the
    reason and becomes the `upstream_code`.
    """
    complaint = Complaint(reason, kind)
    verdict = first(_REASONS, f"{kind} {complaint.said}") or refusals.Refusals().by_words(complaint)
    return refusals.failure(complaint, verdict)
