"""Metrics of a deployment: counters, and counts that an index answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from generation.stations.key_health import KeyHealth, KeyName
from generation.store.counters import totals
from generation.store.engine.database import Database
from generation.store.maintenance.unreadable_log import UnreadableRecords
from generation.store.schema import QUEUED, deliveries, jobs
from generation.store.stations import key_health as accounts
from generation.store.stations.key_health import KeyHealthStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreMetrics:
    """The metrics of one deployment at one time."""

    tallies: dict[str, int]
    #: Slots in use at each key of the settings.
    held: dict[KeyName, int]
    accounts: dict[KeyName, KeyHealth]
    #: The age of the oldest queued job; zero if there is none.
    oldest_queued: timedelta
    deliveries_due: int
    #: The number of unreadable rows of each table.
    unreadable: dict[str, int]


async def figures(database: Database, keys: Iterable[KeyName], now: datetime) -> StoreMetrics:
    """Read the metrics. The cost does not depend on history: no ended job is read."""
    oldest = select(jobs.c.created_at).where(QUEUED).order_by(jobs.c.id).limit(1)
    due = select(func.count()).where(deliveries.c.wake_at <= now)
    known = await KeyHealthStore(database).all()
    counts = await totals(database)
    unreadable = await UnreadableRecords(database).counts()
    async with database.reading() as connection:
        held = {name: (await accounts.places(connection, name, now))[0] for name in keys}
        created_at = (await connection.execute(oldest)).scalar()
        waiting = int((await connection.execute(due)).scalar() or 0)
    return StoreMetrics(
        tallies=counts,
        held=held,
        accounts=known,
        oldest_queued=max(now - created_at, timedelta(0)) if created_at else timedelta(0),
        deliveries_due=waiting,
        unreadable=unreadable,
    )
