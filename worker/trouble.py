"""
What exchanges teach of keys: refused, called too fast, well again. Written down for all processes.
"""

from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.account import Account, KeyName, after_answer, rested
from generation.binding import Binding
from generation.errors import AccountBlocked, Fault, Throttled
from generation.status import SubmitAnswer
from worker.room import Room

log = structlog.get_logger(__name__)


async def note_trouble(room: Room, binding: Binding, answer: SubmitAnswer | Fault) -> None:
    """What is wrong with the key is known to all processes before the next job is sent there."""
    if isinstance(answer, Throttled | AccountBlocked):
        await note(room, binding, answer)


async def note_recovery(room: Room, binding: Binding, answer: SubmitAnswer | Fault) -> None:
    """A key that was in trouble and is well again is known as such; no earlier than the task is."""
    known = room.accounts.get(binding.lane)
    if (
        known is not None
        and known.is_troubled
        and not isinstance(answer, Throttled | AccountBlocked)
    ):
        await note(room, binding, answer)


async def note_pause(room: Room, name: KeyName, until: datetime) -> None:
    """
    Looks with this key are too fast: no worker looks with it before then. Never fails: what is not
    noted is found out again by each for itself.
    """
    try:
        account = await room.store.accounts.change(name, lambda known: rested(known, until))
    except (SQLAlchemyError, OSError) as error:
        log.warning("pause_not_noted", station=name[0], error=str(error))
        return
    room.accounts = {**room.accounts, name: account}


async def note(room: Room, binding: Binding, answer: SubmitAnswer | Fault) -> None:
    """Never fails: what is not noted is found out again by the next job."""
    now = room.now()

    def decide(account: Account) -> Account:
        return after_answer(account, answer, now, room.patience)

    try:
        account = await room.store.accounts.change(binding.lane, decide)
    except (SQLAlchemyError, OSError) as error:
        log.warning("key_not_noted", station=binding.station.name, error=str(error))
        return
    before = room.accounts.get(binding.lane) or Account.of(binding.lane)
    room.accounts = {**room.accounts, binding.lane: account}
    if account.blocked_code != before.blocked_code:
        log.warning(
            "key_blocked" if account.blocked_code else "key_recovered",
            station=account.station,
            key=account.key,
            code=account.blocked_code or before.blocked_code,
            words=account.blocked_words or None,
        )
