"""
What a deployment's figures are read from: tallies, and counts that an index answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from generation.stations.key_health import Account, KeyName
from generation.store.counters import totals
from generation.store.engine.database import Database
from generation.store.maintenance.unreadable_log import SetAsideStore
from generation.store.schema import QUEUED, deliveries, jobs
from generation.store.stations import key_health as accounts
from generation.store.stations.key_health import AccountStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One deployment at one moment."""

    tallies: dict[str, int]
    #: Places taken at each key of the settings.
    held: dict[KeyName, int]
    accounts: dict[KeyName, Account]
    #: How long the oldest queued job has waited; zero where none waits.
    oldest_queued: timedelta
    deliveries_due: int
    #: How many rows of each table cannot be read.
    unreadable: dict[str, int]


async def figures(database: Database, keys: Iterable[KeyName], now: datetime) -> Figures:
    """Costs the same whatever has ever been done: none of it reads an ended job."""
    oldest = select(jobs.c.created_at).where(QUEUED).order_by(jobs.c.id).limit(1)
    due = select(func.count()).where(deliveries.c.wake_at <= now)
    known = await AccountStore(database).all()
    counts = await totals(database)
    unreadable = await SetAsideStore(database).counts()
    async with database.reading() as connection:
        held = {name: (await accounts.places(connection, name, now))[0] for name in keys}
        born = (await connection.execute(oldest)).scalar()
        waiting = int((await connection.execute(due)).scalar() or 0)
    return Figures(
        tallies=counts,
        held=held,
        accounts=known,
        oldest_queued=max(now - born, timedelta(0)) if born else timedelta(0),
        deliveries_due=waiting,
        unreadable=unreadable,
    )
