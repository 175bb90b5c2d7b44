"""What may exist upstream after each thing that Kling and its relays complain about.

Kling answers 429 for "too fast", for "no money" and for "not from this address" alike, and errors
may come with HTTP 200, so that its codes decide first.
"""

from collections.abc import Mapping
from dataclasses import replace

from generation.contract.errors import Fault
from generation.contract.reply import Reply
from generation.contract.status import Failed
from generation.providers.kit.complaints import Complaint, unfolded, wordless
from generation.providers.kit.refusals import (
    CLEAR_STATUSES,
    Refusals,
    by_status,
    failure,
    wordless_verdict,
)
from generation.providers.kit.verdicts import (
    AUTH,
    BROKEN,
    DOWN,
    FORBIDDEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    TOO_FAST,
    Verdict,
    first,
    rules,
    words,
)
from generation.providers.kling.complaints import read

_CODES: Mapping[str, Verdict] = {
    "1000": AUTH,
    "1001": AUTH,
    "1002": AUTH,
    "1003": AUTH,
    "1004": AUTH,
    "1100": AUTH,  # the account is suspended
    "1101": NO_CREDIT,
    "1102": NO_CREDIT,
    "1103": FORBIDDEN,  # the endpoint or the model that was named
    "1200": INVALID,
    "1201": INVALID,
    "1202": INVALID,
    "1203": NOT_FOUND,
    "1300": MODERATED,
    "1301": MODERATED,
    "1302": TOO_FAST,
    "1303": NO_ROOM,
    "1304": AUTH,  # our address is not on the account's list
    # An internal error or timeout may strike after the task was written down.
    "5000": BROKEN,
    "5001": DOWN,  # closed for maintenance
    "5002": BROKEN,
}

#: The token's own times are refused: the two clocks disagree, or a token was kept for too long.
_CLOCK_CODES = frozenset({"1003", "1004"})

_CREDIT = words(r"balance|credit|quota|resource pack (exhaust|deplet)|arrears|余额|额度|欠费")

#: Our own reference is taken: an earlier submit of the same job did arrive, and must be found.
_DUPLICATE = words(
    r"external_?task_?id.*(used|exist|duplicate|repeat|unique|重复|已存在)"
    r"|(duplicate|repeat|重复).*external_?task_?id"
)

_REFUSALS = Refusals(
    codes=_CODES,
    refusals=rules((r"负载已饱和", NO_ROOM)),
    plain=((_CREDIT, NO_CREDIT), *rules((r"too many", TOO_FAST))),
    weak_codes={"invalid_request": INVALID},
)

#: Words too common to outweigh any of the above.
_FAINT = rules(
    (
        r"internal (server )?error|server internal|time.?out|timed out|deadline exceeded"
        r"|maintenance|unavailable|try again later|稍后",
        BROKEN,
    ),
    (r"invalid|must|exceed|unsupported|resolution|aspect ratio|no human|required", INVALID),
)


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """The complaint as the fault it is.

    While submitting, an unknown resource is one that the request names (a model, a video); while
    looking it is the task. An upstream that broke leaves a submit in doubt, and a look without
    news.
    """
    verdict = _verdict(complaint)
    if complaint.code in _CLOCK_CODES:
        said = f"the token's times are refused, check this machine's clock: {complaint.message}"
        complaint = replace(complaint, message=said)
    if submitting and verdict is NOT_FOUND:
        verdict = INVALID
    return verdict.on(complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """The fault of an answer that is no JSON object."""
    verdict = wordless_verdict(reply, submitting=submitting)
    return verdict.on(wordless(reply), submitting=submitting)


def failure_of(reason: str, code: str = "") -> Failed:
    """Why an accepted task ended without a result, from what the upstream says about it."""
    complaint = unfolded(Complaint(reason, code), read)
    return failure(complaint, _verdict(complaint))


def _verdict(complaint: Complaint) -> Verdict:
    if _DUPLICATE.search(complaint.message):
        return BROKEN
    if complaint.code == "1201" and _CREDIT.search(complaint.said):
        return NO_CREDIT
    status = complaint.deciding_status
    if found := _REFUSALS.by_words(complaint):
        return found
    faint = first(_FAINT, complaint.said) if status < 500 and status not in CLEAR_STATUSES else None
    return faint or by_status(status)
