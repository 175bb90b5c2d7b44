"""What may exist upstream after each thing that a station of the Suno-API family complains about.

A spent token is a 401, and everything a relay hears from its upstream is called
`fail_to_fetch_task`.
"""

import re
from collections.abc import Mapping

from generation.contract.errors import Fault, Scope
from generation.contract.reply import Reply
from generation.providers.kit.complaints import Complaint, wordless
from generation.providers.kit.refusals import Refusals, by_status
from generation.providers.kit.verdicts import (
    AUTH,
    DOWN,
    FORBIDDEN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    TOO_FAST,
    UNSUPPORTED,
    Verdict,
    rules,
)
from generation.providers.suno.reasons import MODERATION

#: Suno's own status line, which a Suno-API passes on as its message.
_STATUS_LINE = re.compile(r"([45][0-9]{2})( [A-Za-z].*)?")

#: What it means there: a dead session is a 401 or a 422, and the account is not ours.
_BY_SUNO_STATUS: Mapping[int, Verdict] = {
    401: FORBIDDEN,
    402: Verdict(NO_CREDIT.fault, NO_CREDIT.code, scope=Scope.MODEL),
    403: FORBIDDEN,
    422: FORBIDDEN,
}

_REFUSALS = Refusals(
    # Stations in the vendor's official style.
    codes={"430": TOO_FAST, "455": DOWN},
    refusals=rules((r"unauthorized secret token", AUTH), (r"^task failed$", DOWN)),
    plain=rules(
        (r"captcha|token validation|invalid (api[ _-]?)?(key|token)", AUTH),
        (r"invalid[_ ]action|no such (path|route)", UNSUPPORTED),
        (MODERATION, MODERATED),
    ),
    weak_codes={"invalid_request": INVALID},
)


def fault_of(complaint: Complaint, *, submitting: bool) -> Fault:
    """The complaint as the fault it is. While looking, what broke is only a look without news."""
    return _verdict(complaint).on(complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """Return the fault of an answer that is no JSON object.

    It may be a gateway's page, a relay's dashboard because the path does not exist, or a truncated
    answer.
    """
    return _of_wordless(reply, submitting).on(wordless(reply), submitting=submitting)


def _of_wordless(reply: Reply, submitting: bool) -> Verdict:
    status = reply.status
    if status == 403 and reply.is_page:
        return DOWN  # a guard before the station, which knows nothing of our key
    if not submitting and (reply.is_page or status >= 300) and status not in (401, 402, 403, 429):
        return DOWN
    if 300 <= status < 400 or (status < 300 and reply.is_page):
        return UNSUPPORTED
    return by_status(status)


def _verdict(complaint: Complaint) -> Verdict:
    if line := _STATUS_LINE.fullmatch(complaint.message.strip()):
        status = int(line[1])
        return _BY_SUNO_STATUS.get(status) or by_status(status)
    return _REFUSALS.verdict(complaint)
