"""Asks for the balance of accounts with too little credit. That costs nothing."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.contract.errors import Fault
from generation.stations.binding import purse
from generation.stations.key_health import KeyName, after_balance, begin_balance
from worker.context import Room

log = structlog.get_logger(__name__)


def to_ask(room: Room) -> list[KeyName]:
    """Return the keys whose balance may be asked for now."""
    now = room.now()
    return [
        name
        for name, account in room.accounts.items()
        if account.may_ask_balance(now) and purse(room.stations, name) is not None
    ]


async def ask(room: Room, name: KeyName) -> None:
    """Ask for the balance and store it, unless another worker does.

    Never fails: without an answer nothing changes, and a job tries the key from time to time.
    """
    found = purse(room.stations, name)
    if found is None:
        return
    binding, query = found
    now, patience, change = room.now(), room.patience, room.store.accounts.change
    try:
        begun = await change(name, lambda account: begin_balance(account, now, patience))
        if begun.balance_at != now + patience.between_balances:
            return  # somebody else asks
        balance = await room.upstream.balance(binding, query)
        after = await change(name, lambda account: after_balance(account, balance, now, patience))
    except Fault as fault:
        log.info("balance_unknown", station=name[0], key=name[1], reason=fault.message)
        return
    except (SQLAlchemyError, OSError) as error:
        log.warning("balance_not_noted", station=name[0], error=str(error))
        return
    room.accounts = {**room.accounts, name: after}
    words = f"{balance.left:g} {balance.unit}"
    if after.blocked_code is None:
        log.warning("key_recovered", station=name[0], key=name[1], balance=words)
    else:
        log.info("balance", station=name[0], key=name[1], balance=words)
