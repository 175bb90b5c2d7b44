"""Asks for the balance of accounts with too little credit. That costs nothing."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.contract.errors import Fault
from generation.stations.binding import balance_query_of
from generation.stations.key_health import KeyName
from generation.stations.key_updates import after_balance, begin_balance
from worker.context import WorkerContext

log = structlog.get_logger(__name__)


def to_ask(context: WorkerContext) -> list[KeyName]:
    """Return the keys whose balance may be asked for now."""
    now = context.clock.now()
    return [
        name
        for name, account in context.accounts.items()
        if account.may_ask_balance(now) and balance_query_of(context.stations, name) is not None
    ]


async def ask(context: WorkerContext, name: KeyName) -> None:
    """Ask for the balance and store it, unless another worker does.

    Never fails: without an answer nothing changes, and a job tries the key from time to time.
    """
    found = balance_query_of(context.stations, name)
    if found is None:
        return
    binding, query = found
    now, retry_waits, change = (
        context.clock.now(),
        context.retry_waits,
        context.store.accounts.change,
    )
    try:
        begun = await change(name, lambda account: begin_balance(account, now, retry_waits))
        if begun.balance_at != now + retry_waits.between_balances:
            return  # somebody else asks
        balance = await context.upstream.balance(binding, query)
        after = await change(
            name, lambda account: after_balance(account, balance, now, retry_waits)
        )
    except Fault as fault:
        log.info("balance_unknown", station=name[0], key=name[1], reason=fault.message)
        return
    except (SQLAlchemyError, OSError) as error:
        log.warning("balance_not_stored", station=name[0], error=str(error))
        return
    context.accounts = {**context.accounts, name: after}
    words = f"{balance.left:g} {balance.unit}"
    if after.blocked_code is None:
        log.warning("key_recovered", station=name[0], key=name[1], balance=words)
    else:
        log.info("balance", station=name[0], key=name[1], balance=words)
