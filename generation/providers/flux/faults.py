"""
What may exist upstream after each thing that the vendor and its resellers complain about.

The service's code decides first, its words second and the HTTP status last.
"""

from collections.abc import Mapping

from generation.complaint import (
    AUTH,
    BROKEN,
    CLEAR_STATUSES,
    FORBIDDEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    REFUSALS,
    TOO_FAST,
    UNREADABLE,
    UNSUPPORTED,
    Complaint,
    Verdict,
    failure,
    first,
    rules,
    wordless,
    wordless_verdict,
)
from generation.errors import ErrorCode, Fault
from generation.providers.flux.complaints import unfolded
from generation.reply import Reply
from generation.status import Failed

_BY_CODE: Mapping[str, Verdict] = {
    # fal, in the type of a field error or in the header x-fal-error-type.
    "content_policy_violation": MODERATED,
    # Stations of the new-api family, and OpenAI's form.
    "insufficient_user_quota": NO_CREDIT,
    "insufficient_quota": NO_CREDIT,
    "quota_not_enough": NO_CREDIT,
    "pre_consume_token_quota_failed": NO_CREDIT,
    "invalid_api_key": AUTH,
    "rate_limit_exceeded": TOO_FAST,
    "task_not_exist": NOT_FOUND,
    "do_request_failed": BROKEN,
}


#: Words that mean one thing whatever the code and the status. The first that fits decides.
_CLEAR_WORDS = rules(
    (
        (
            r"(insufficient|not enough|no( more)?|out of) (\w+ )?(credits?|balance|funds|quota)"
            r"|exhausted balance|payment (method|required)|budget exceeded|billing"
            r"|余额|额度|欠费"
        ),
        NO_CREDIT,
    ),
    (
        (
            r"moderat(ed|ion)|nsfw|flagged|sensitive|content (policy|filter)|safety (filter|system)"
            r"|prohibited content|违规|敏感|审核"
        ),
        MODERATED,
    ),
    (
        (
            r"active (tasks?|generations?|requests?)|concurren|parallel|at capacity|queue is full"
            r"|no available channel|无可用渠道|并发"
        ),
        NO_ROOM,
    ),
    (r"too many requests|rate.?limit|throttl|too fast|频繁|过快|负载已饱和", TOO_FAST),
    (r"invalid url \(", UNSUPPORTED),
    (
        r"(task|request|prediction)( id)? (was )?(does )?not[ _](found|exist)|任务不存在",
        NOT_FOUND,
    ),
    (
        (
            r"not authenticated|unauthenticated|unauthori[sz]ed|user is locked|未提供令牌"
            r"|(invalid|incorrect|missing|expired) (\w+ )?(api.?key|token|credentials)|无效的令牌"
        ),
        AUTH,
    ),
    (
        (
            r"(no permission|not (allowed|permitted|authori[sz]ed)|(no|not have) access)\b.*\bmodel"
            r"|model\b.*(no permission|not (allowed|permitted)|(no|not have) access)|无权访问模型"
        ),
        FORBIDDEN,
    ),
)


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """
    The complaint as the fault it is.

    While submitting, an unknown thing is one that the request names; while looking it is the task.
    An upstream that broke leaves a submit in doubt, and a look without news.
    """
    verdict = _by_words(complaint) or _by_status(complaint, submitting=submitting)
    if submitting and verdict is NOT_FOUND:
        verdict = INVALID
    return verdict.on(complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """The fault of an answer that is no JSON object. A bare 404 says that the task is not there."""
    verdict = wordless_verdict(reply, submitting=submitting)
    if reply.status == 404 and not (reply.is_page or submitting):
        verdict = NOT_FOUND
    return verdict.on(wordless(reply), submitting=submitting)


def failure_of(
    reason: str, code: str = "", *, otherwise: ErrorCode = ErrorCode.UPSTREAM_FAILED
) -> Failed:
    """
    Why an accepted task ended without a result, from what the upstream says about it; `otherwise`
    where that says nothing to us.
    """
    complaint = unfolded(Complaint(reason, code))
    return failure(complaint, _by_words(complaint), otherwise=otherwise)


def _by_words(complaint: Complaint) -> Verdict | None:
    return _BY_CODE.get(complaint.code.lower()) or first(_CLEAR_WORDS, complaint.message)


def _by_status(complaint: Complaint, *, submitting: bool) -> Verdict:
    """The last resort."""
    status = complaint.deciding_status
    if status >= 500:
        return BROKEN
    if status == 404 and not submitting:
        return NOT_FOUND
    # OpenAI's form says so to nearly everything, which is no reason to believe it against a status.
    otherwise = INVALID if complaint.code.lower().startswith("invalid_request") else UNREADABLE
    return CLEAR_STATUSES.get(status) or REFUSALS.get(status, otherwise)
