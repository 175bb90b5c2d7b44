"""Jobs per second with an idempotency key, with key limits, and with both, beside plain ones.

The same is measured with a million stored idempotency keys. `CLAIMING_KEYS` sets the numbers of
stored keys, for example `0 1000000`.
"""

import asyncio
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from generation.access.permissions import Limits, Rate
from generation.store import Store
from generation.store.schema import Instant
from ops.bench.serving import LoadResult, closed_load, serving_genq
from ops.bench.stores import TENANT, added_key, stores
from ops.bench.workspace import Workspace, temporary_workspace
from tests.unit.jobs import a_job

SECONDS = 5
ROUNDS = 3
KNOWN = "0 1000000"
#: Limits that are all counted but never reached.
LIMITS = Limits(rate=Rate(10_000_000, timedelta(hours=1)), max_in_flight=10**7, daily_jobs=10**7)
#: By database: random keys of one job, kept for a month, inserted in key order, which is faster.
FILLING = {
    "sqlite": "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :count)"
    " INSERT INTO idempotency_keys SELECT :tenant, 'job', key, :print, :job, :until + n"
    " FROM (SELECT n, lower(hex(randomblob(16))) AS key FROM n ORDER BY key)",
    "postgresql": "INSERT INTO idempotency_keys"
    " SELECT :tenant, 'job', gen_random_uuid(), :print, :job, CAST(:until AS timestamptz)"
    " FROM generate_series(1, CAST(:count AS integer))",
}
#: Keys per statement.
FILLED_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class ClaimingRound:
    """Jobs per second of all four variants, measured one right after the other."""

    plain: float
    keyed: float
    limited: float
    both: float


def main() -> None:
    known = [int(count) for count in os.environ.get("CLAIMING_KEYS", KNOWN).split()]
    print("\n| store, stored keys | plain jobs/s | keyed | limited | keyed and limited |")
    print("|---|---|---|---|---|")
    with temporary_workspace() as workspace:
        for store in stores(workspace):
            stored = 0
            for count in sorted(known):
                asyncio.run(fill(store.url, count - stored))
                stored = count
                show(f"{store.name}, {count:,}", measure(workspace, store.url))


def show(title: str, rounds: Sequence[ClaimingRound]) -> None:
    def rates(side: str) -> str:
        found = [getattr(round_, side) for round_ in rounds]
        shares = ", ".join(
            f"{rate / round_.plain:.0%}" for rate, round_ in zip(found, rounds, strict=True)
        )
        return f"{statistics.median(found):,.0f} ({shares})"

    plain = statistics.median(round_.plain for round_ in rounds)
    beside = " | ".join(rates(side) for side in ("keyed", "limited", "both"))
    print(f"| {title} | {plain:,.0f} | {beside} |", flush=True)


def measure(workspace: Workspace, url: str) -> list[ClaimingRound]:
    free, limited = added_key(url), added_key(url, LIMITS)
    rounds: list[ClaimingRound] = []
    for _ in range(ROUNDS):
        with serving_genq(workspace, url) as api:

            def measure_variant(key: str, *, keyed: bool, jobs: str = api.jobs) -> LoadResult:
                return closed_load(
                    workspace.folder, [jobs], key, order=True, seconds=SECONDS, keyed=keyed
                )

            measured = [
                measure_variant(key, keyed=keyed)["per_second"]
                for key, keyed in ((free, False), (free, True), (limited, False), (limited, True))
            ]
        workspace.broker.flushall()
        rounds.append(ClaimingRound(*measured))
    return rounds


async def fill(url: str, count: int) -> None:
    """Insert this many idempotency keys directly into the database."""
    if count <= 0:
        return
    store = Store(url)
    try:
        job = await store.jobs.insert(a_job(tenant=TENANT))
        until = datetime.now(UTC) + timedelta(days=30)
        for first in range(0, count, FILLED_AT_ONCE):
            async with store.database.writing() as connection:
                dialect = connection.dialect
                given = {
                    "tenant": TENANT,
                    "print": "f" * 64,
                    "job": job.id,
                    "count": min(FILLED_AT_ONCE, count - first),
                    "until": Instant().process_bind_param(until, dialect),
                }
                await connection.execute(text(FILLING[dialect.name]), given)
    finally:
        await store.close()


if __name__ == "__main__":
    main()
