"""The health of station keys: read by every process, changed under a row lock."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.job import JobState
from generation.stations.blocks import ModelBlock, ModelBlocks
from generation.stations.key_health import KeyHealth, KeyName
from generation.store.engine.database import Database
from generation.store.schema import HOLDING, UNFINISHED, accounts, jobs, turns

#: Fields of a key's state that are columns of their own.
COLUMNS = tuple(column.name for column in accounts.columns if column.name != "refusals")


class KeyHealthStore:
    """Statements about the health of keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[KeyName, KeyHealth]:
        """Return every key with a row."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(accounts))).mappings()
            return {account.name: account for account in map(account_of, rows)}

    async def in_use(self, now: datetime) -> dict[KeyName, int]:
        """Return the keys of unfinished jobs, with their number, in the settings or not."""
        name = tuple_(jobs.c.station, jobs.c.key)
        query = (
            select(jobs.c.station, jobs.c.key)
            .where(UNFINISHED)
            .order_by(jobs.c.station, jobs.c.key)
            .limit(1)
        )
        found: dict[KeyName, int] = {}
        last: KeyName = ("", "")
        async with self._database.reading() as connection:
            while row := (await connection.execute(query.where(name > last))).first():
                last = (row.station, row.key)
                found[last], _ = await places(connection, last, now)
        return found

    async def change(self, name: KeyName, decide: Callable[[KeyHealth], KeyHealth]) -> KeyHealth:
        """Apply a decision to the current state of this key. Returns the new state."""
        async with self._database.writing() as connection:
            (account,) = await locked(connection, [name])
            after = decide(account)
            if after is not account:
                await write(connection, [after])
            return after


async def locked(connection: AsyncConnection, names: Iterable[KeyName]) -> list[KeyHealth]:
    """Return these keys, locked until the transaction ends, in one order to avoid deadlocks."""
    return [
        await locked_alone(connection, name) or await insert_locked(connection, name)
        for name in sorted(set(names))
    ]


async def locked_alone(
    connection: AsyncConnection, name: KeyName, *, wait: bool = True
) -> KeyHealth | None:
    """Return this key, locked; None if it has no row.

    Without `wait`, also None if another process has it locked.
    """
    query = select(accounts).where(is_of(name)).with_for_update(skip_locked=not wait)
    row = (await connection.execute(query)).mappings().first()
    return account_of(row) if row else None


async def insert_locked(connection: AsyncConnection, name: KeyName) -> KeyHealth:
    """Return a new row, locked."""
    adding = dialect_of(connection).insert(accounts).on_conflict_do_nothing()
    await connection.execute(adding, [{"station": name[0], "key": name[1]}])
    return await locked_alone(connection, name) or KeyHealth.of(name)


async def known(connection: AsyncConnection, name: KeyName) -> KeyHealth | None:
    """Return this key, not locked; None if it has no row."""
    row = (await connection.execute(select(accounts).where(is_of(name)))).mappings().first()
    return account_of(row) if row else None


async def write(connection: AsyncConnection, changed: Sequence[KeyHealth]) -> None:
    """Save these keys, which are locked."""
    for account in changed:
        query = update(accounts).where(is_of(account.name))
        await connection.execute(query.values(row_of(account)))


async def places(connection: AsyncConnection, name: KeyName, now: datetime) -> tuple[int, int]:
    """Return how many slots of a key are in use, and how many of them by woken jobs.

    They are counted from the jobs, so no slot can be lost. With the key locked the count is exact:
    only the holder of that lock adds to it.
    """
    here = and_(jobs.c.station == name[0], jobs.c.key == name[1])
    unfinished = select(func.count()).select_from(jobs).where(UNFINISHED, here)
    waiting = func.count().filter(jobs.c.state == JobState.QUEUED)
    holding = select(func.count(), waiting).where(HOLDING, here, jobs.c.slot_until > now)
    running = int((await connection.execute(unfinished)).scalar() or 0)
    held, called = (await connection.execute(holding)).one()
    return running + held, called


async def served(
    connection: AsyncConnection, given: Iterable[tuple[KeyName, str]], now: datetime
) -> None:
    """Record that these keys gave a slot to these tenants, whose next turn comes last."""
    rows = [
        {"station": station, "key": key, "tenant": tenant, "served_at": now}
        for (station, key), tenant in sorted(set(given))
    ]
    if rows:
        adding = dialect_of(connection).insert(turns)
        await connection.execute(
            adding.on_conflict_do_update(
                index_elements=[turns.c.station, turns.c.key, turns.c.tenant],
                set_={"served_at": adding.excluded.served_at},
            ),
            rows,
        )


async def last_served(
    connection: AsyncConnection, name: KeyName, tenants: Sequence[str]
) -> Mapping[str, datetime]:
    """Return when each tenant last got a slot of this key; those that never did are absent."""
    query = select(turns.c.tenant, turns.c.served_at).where(
        and_(turns.c.station == name[0], turns.c.key == name[1]), turns.c.tenant.in_(tenants)
    )
    return {tenant: served_at for tenant, served_at in await connection.execute(query)}


def is_of(name: KeyName) -> ColumnElement[bool]:
    return and_(accounts.c.station == name[0], accounts.c.key == name[1])


def account_of(row: Mapping[Any, Any]) -> KeyHealth:
    fields = dict(row)
    refusals: dict[str, Any] = fields.pop("refusals") or {}
    blocks = [block_of(document) for document in refusals.get("blocks", ())]
    return KeyHealth(
        **fields,
        refused=tuple(refusals.get("jobs", ())),
        throttled=refusals.get("throttled"),
        blocks=ModelBlocks({block.subject: block for block in blocks}),
    )


def row_of(account: KeyHealth) -> dict[str, Any]:
    fields = {name: getattr(account, name) for name in COLUMNS}
    blocks = [block_document(block) for block in account.blocks]
    jobs_refused = list(account.refused)
    refusals = {"jobs": jobs_refused, "throttled": account.throttled, "blocks": blocks}
    return {**fields, "refusals": refusals if any(refusals.values()) else None}


def block_document(block: ModelBlock) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(block).items()
    }


def block_of(document: Mapping[str, Any]) -> ModelBlock:
    fields = dict(document)
    for name in ("since", "refused_at", "probe_at"):
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    for name in ("refused", "in_a_row"):
        fields[name] = tuple(fields[name])
    return ModelBlock(**fields)


def dialect_of(connection: AsyncConnection) -> Any:
    return sqlite if connection.dialect.name == "sqlite" else postgresql
