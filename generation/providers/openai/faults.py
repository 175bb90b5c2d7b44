"""What may have been done, and charged, after each thing that a station complains about.

There is no task to ask about later, so whatever breaks on the way leaves the order in doubt for
good.
"""

import re
from dataclasses import replace

from generation.contract.errors import Fault
from generation.contract.reply import Reply
from generation.providers.kit.complaints import Complaint, wordless
from generation.providers.kit.refusals import Refusals, by_status
from generation.providers.kit.verdicts import (
    DOWN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    UNREADABLE,
    UNSUPPORTED,
    Verdict,
)

_REFUSALS = Refusals(
    codes={"1008": NO_CREDIT},  # MiniMax
    weak_codes=dict.fromkeys(("1026", "1027", "1301"), MODERATED),  # MiniMax, Zhipu
)


def fault_of(complaint: Complaint) -> Fault | None:
    """Return the fault of a complaint; None if it only says that the task has failed."""
    verdict = _verdict(complaint)
    return verdict.on(complaint) if verdict else None


def wordless_fault(reply: Reply) -> Fault:
    """Return the fault of an answer that is no JSON object.

    It may be a gateway's page, a relay's dashboard because the path does not exist, or a truncated
    answer.
    """
    complaint = wordless(reply)
    if reply.is_page and reply.status == 403:
        return DOWN.on(complaint)  # a guard before the station, which knows nothing of us
    if 300 <= reply.status < 400 or (reply.is_page and reply.status < 300):
        said = (
            "the station answered with a web page: its url or the provider's prefix in the"
            f" settings leads elsewhere. {complaint.message}"
        )
        return UNSUPPORTED.on(replace(complaint, message=said))
    return (by_status(reply.status) if reply.status >= 400 else UNREADABLE).on(complaint)


def _verdict(complaint: Complaint) -> Verdict | None:
    status, code = complaint.status, complaint.code
    # A code of three digits is an HTTP status that a station passes on.
    if status < 400 and re.fullmatch("4[0-9]{2}", code):
        status = int(code)
    if found := _REFUSALS.by_words(complaint, status):
        return found
    if status >= 400:
        return by_status(status)
    # OpenAI's form says so to nearly everything: no reason to believe it against a status.
    return INVALID if code.lower().startswith(("invalid_request", "invalid_parameter")) else None
