"""What may exist upstream after each thing that Luma and its relays complain about.

The vendor says 400 for a bad field, for a moderated prompt and for an empty account alike, and
relays say it all with 200.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from generation.contract.errors import AccountBlocked, ErrorCode, Fault, Scope
from generation.contract.reply import Reply
from generation.providers.kit.complaints import wordless
from generation.providers.kit.refusals import Refusals, by_status
from generation.providers.kit.verdicts import (
    AUTH,
    BROKEN,
    DOWN,
    INVALID,
    MODERATED,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    RELAYS_ACCOUNT,
    TOO_FAST,
    UNREADABLE,
    UNSUPPORTED,
    Verdict,
    rules,
    words,
)
from generation.providers.luma.complaints import LumaComplaint

_CODES: Mapping[str, Verdict] = {
    # The Agents API's codes of failure.
    "content_moderated": MODERATED,
    "budget_exhausted": NO_CREDIT,
    "rate_limited": TOO_FAST,
}

#: Luma's failures name no code for moderation; these words tell it.
MODERATION = r"moderat|safety|policy|nsfw|inappropriate|prohibited|sensitive|敏感|违规|审核|风控"

_REFUSALS = Refusals(
    codes=_CODES,
    refusals=rules((r"负载已饱和", NO_ROOM), (r"secret token", AUTH)),
    plain=rules(
        (r"requests per|rate.?limit|too many requests", TOO_FAST),
        (r"concurren|parallel", NO_ROOM),
        (r"too (fast|many|frequent)", TOO_FAST),
        (r"credit|\bbalance\b|quota|payment|billing|budget|余额|额度", NO_CREDIT),
        (MODERATION, MODERATED),
        (
            r"(generation|task)\S*( id)?( was| is)? not found|(generation|task).*(not|n't) exist"
            r"|no such (generation|task)|任务不存在",
            NOT_FOUND,
        ),
    ),
    weak_codes=dict.fromkeys(
        ("image_too_large", "unsupported_format", "corrupt_input", "invalid_request"), INVALID
    ),
)

#: What only whoever knows our key says of it.
_OUR_KEY = words(r"secret token|api.?key|令牌")

#: What a gateway's page may decide about a look. Its 403 comes from a guard.
_PAGE_STATUSES = frozenset({401, 402, 413, 429})

#: Refusals that came with a good HTTP status, by words too common to outweigh any of the above.
_FAINT_WORDS = words(r"invalid|must|required|exceed|not supported|unsupported|too (short|long)")

#: `400: concepts are not supported for this model`: a status of which only the text is left.
_STATUS_IN_TEXT = re.compile(r"([45][0-9]{2})\s*:")


def fault_of(complaint: LumaComplaint, *, submitting: bool, relayed: bool) -> Fault:
    """The complaint as the fault it is.

    `relayed` where the key is a relay's and Luma's account is the relay's own. An upstream that
    broke leaves a submit in doubt, and a look without news.
    """
    return _verdict(complaint, submitting, relayed).on(complaint, submitting=submitting)


def wordless_fault(reply: Reply, *, submitting: bool) -> Fault:
    """Return the fault of an answer that is no JSON object: a page, a text, a truncated answer."""
    complaint = wordless(reply)
    status = reply.status
    page = reply.is_page
    if submitting and (300 <= status < 400 or (page and status < 300)):
        verdict = UNSUPPORTED  # a redirect, which is not followed, or the dashboard: no such path
    elif submitting and status == 403 and page:
        verdict = DOWN
    elif page and not (submitting and 400 <= status < 500) and status not in _PAGE_STATUSES:
        verdict = BROKEN
    elif status < 300 or (status == 404 and not submitting):
        verdict = UNREADABLE  # a route that is not there says nothing about a task
    else:
        verdict = _REFUSALS.verdict(complaint)
    return verdict.on(complaint, submitting=submitting)


def _verdict(complaint: LumaComplaint, submitting: bool, relayed: bool) -> Verdict:
    status = _status(complaint)
    relays_own = relayed and complaint.from_luma
    found = _REFUSALS.by_words(complaint, status)
    if relays_own and (found or by_status(status)).code is ErrorCode.AUTH:
        # The relay passed our key, and lost its own login at Luma.
        return AUTH if _OUR_KEY.search(complaint.said) else RELAYS_ACCOUNT
    if found and relays_own and found.fault is AccountBlocked:
        return replace(found, scope=Scope.MODEL)
    if found:
        return found
    if status == 404:
        return UNSUPPORTED if submitting else NOT_FOUND
    if status < 400 and _FAINT_WORDS.search(complaint.said):
        return INVALID
    return by_status(status)


def _status(complaint: LumaComplaint) -> int:
    """The status that decides: one that the complaint itself names, else the answer's own."""
    named = _STATUS_IN_TEXT.match(complaint.message)
    if named and complaint.deciding_status == complaint.status:
        return int(named[1])
    return complaint.deciding_status
