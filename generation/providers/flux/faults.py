"""What may exist upstream after each thing that the vendor and its resellers complain about."""

from generation.contract.errors import ErrorCode, Fault
from generation.contract.reply import Reply
from generation.contract.status import Failed
from generation.providers.flux.complaints import read_packed
from generation.providers.kit.complaints import Complaint, unfolded, wordless
from generation.providers.kit.refusals import Refusals, by_status, failure, wordless_verdict
from generation.providers.kit.verdicts import (
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    UNREADABLE,
    Verdict,
    rules,
)

_REFUSALS = Refusals(
    plain=rules(
        (r"billing|user budget|余额|额度", NO_CREDIT),
        (r"moderat(ed|ion)|content (policy|filter)|safety filter", MODERATED),
        (r"active (tasks?|generations?|requests?)", NO_ROOM),
        (r"request( id)? (was )?(does )?not[ _](found|exist)", NOT_FOUND),
        # Replicate, of what the order names: an address that is gone, a value out of its range.
        (r"^input validation (error|failed)|failed to download\b.*\b40[0-9]\b", INVALID),
    ),
)


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """The complaint as the fault it is.

    While submitting, an unknown thing is one that the request names; while looking it is the task.
    An upstream that broke leaves a submit in doubt, and a look without news.
    """
    verdict = _REFUSALS.by_words(complaint) or _by_status(complaint, submitting=submitting)
    if submitting and verdict is NOT_FOUND:
        verdict = INVALID
    return verdict.on(complaint, submitting=submitting)


def _by_status(complaint: Complaint, *, submitting: bool) -> Verdict:
    status = complaint.deciding_status
    if status == 404 and not submitting:
        return NOT_FOUND
    found = by_status(status)
    # OpenAI's form says so to nearly everything, which is no reason to believe it against a status.
    named = complaint.code.lower().startswith("invalid_request")
    return INVALID if found is UNREADABLE and named else found


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """The fault of an answer that is no JSON object. A bare 404 says that the task is not there."""
    verdict = wordless_verdict(reply, submitting=submitting)
    if reply.status == 404 and not (reply.is_page or submitting):
        verdict = NOT_FOUND
    return verdict.on(wordless(reply), submitting=submitting)


def failure_of(
    reason: str, code: str = "", *, otherwise: ErrorCode = ErrorCode.UPSTREAM_FAILED
) -> Failed:
    """Return why an accepted task failed; `otherwise` if the upstream's words are unknown."""
    complaint = unfolded(Complaint(reason, code), read_packed)
    return failure(complaint, _REFUSALS.by_words(complaint), otherwise=otherwise)
