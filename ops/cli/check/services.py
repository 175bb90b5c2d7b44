"""What the database and the broker say."""

import asyncio
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

from generation.queue import Nudger
from generation.settings import Settings
from generation.stations.key_health import KeyName
from generation.store import Database, Store
from ops.cli.check.finding import Finding, ok, problem, warning
from ops.cli.check.keys import configured_keys, key_findings
from ops.cli.database import DatabaseUnavailable, with_store

#: A clock that is further away than this makes leases and signatures doubtful.
CLOCK_TOLERANCE = timedelta(seconds=5)
#: More rows that cannot be read are not named.
MAX_NAMED_ROWS = 20


def service_findings(settings: Settings) -> Iterator[Finding]:
    try:
        keys = configured_keys(settings)
        yield from with_store(settings, lambda store: store_findings(store, keys))
    except DatabaseUnavailable as error:
        yield problem("database", str(error))
    yield asyncio.run(broker_finding(settings))


async def store_findings(store: Store, keys: Collection[KeyName]) -> list[Finding]:
    """What a database of the right schema says."""
    kind = "SQLite" if store.database.is_sqlite else "PostgreSQL"
    found = [ok("database", f"{kind} answers, and has the schema this version needs")]
    if await store.keys.any_valid(datetime.now(UTC)):
        found.append(ok("API keys", "somebody is let in"))
    else:
        found.append(problem("API keys", "nobody is let in: genq keys create NAME"))
    if not store.database.is_sqlite:
        found.append(await clock_finding(store.database))
    return [*found, *await row_findings(store), *await key_findings(store, keys)]


async def row_findings(store: Store) -> list[Finding]:
    """What is stored and cannot be read."""
    counts = await store.set_aside.counts()
    if not counts:
        return [ok("rows", "everything stored that was asked for could be read")]
    named = [
        problem(
            f"row of {each.table}",
            f"{each.row_id} cannot be read ({each.cause}): run the version of genq that wrote it,"
            " or restore the row from a backup; it is left as it is, and goes on once it can be"
            " read",
        )
        for each in await store.set_aside.all(MAX_NAMED_ROWS)
    ]
    more = sum(counts.values()) - len(named)
    return named + ([problem("rows", f"{more} more like these")] if more > 0 else [])


async def clock_finding(database: Database) -> Finding:
    """This machine's clock beside the database server's."""
    async with database.reading() as connection:
        theirs = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    apart = abs(datetime.now(UTC) - theirs)
    if apart > CLOCK_TOLERANCE:
        return warning(
            "clock",
            f"{apart.total_seconds():.0f} s away from the database server's: set both by NTP, or "
            "receivers will refuse webhooks",
        )
    return ok("clock", "agrees with the database server's")


async def broker_finding(settings: Settings) -> Finding:
    nudger = Nudger(settings)
    try:
        fault = await nudger.fault()
    finally:
        await nudger.close()
    if fault is None:
        return ok("broker", "answers")
    words = str(fault).rstrip(".")
    return problem("broker", f"{words}; orders are kept but not sent: {fault.advice}")
