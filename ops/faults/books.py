"""What the database says, read past every proxy: the row is the truth for whoever judges, too."""

from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Select, and_, func, or_, select

from generation.store import Store
from generation.store import counters as tallies
from generation.store.schema import deliveries, job_events, jobs
from generation.store.stations import key_health as accounts
from worker.runtime.event_loop import EventLoopThread

Answer = TypeVar("Answer")

#: States in which a job holds its place at a key, or may.
HOLDERS = ("queued", "submitting", "running", "awaiting_input", "in_doubt")
TERMINAL_STATES = ("succeeded", "failed", "canceled", "expired")
#: SQLite takes only so many values in one statement.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Row:
    """What is judged of a job."""

    id: str
    state: str
    version: int
    reason: str
    wake_at: datetime | None
    upstream_id: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event that was owed to the caller, and whether somebody is still to tell of it."""

    job_id: str
    event_id: str
    type: str
    under_way: bool


class Books:
    """Read access, blocking, for any thread. Every method raises while the database is away."""

    def __init__(self, url: str) -> None:
        self._loop = EventLoopThread()
        self._store = self._loop.run(opened(url))

    def add_key(self, tenant: str, key: str, secret: str) -> None:
        self._loop.run(self._store.keys.add(tenant, key, secret, datetime.now(UTC)))

    def all(self) -> list[Row]:
        """Every job there is."""
        return [row_of(row) for row in self._read(select(*COLUMNS))]

    def find(self, names: Sequence[str]) -> list[Row]:
        """The jobs of these ids, or of tasks of these upstream ids."""
        named = or_(jobs.c.id.in_(names), jobs.c.upstream_id.in_(names))
        return [row_of(row) for row in self._read(select(*COLUMNS).where(named))]

    def submitting(self) -> list[str]:
        return [r.id for r in self._read(select(jobs.c.id).where(jobs.c.state == "submitting"))]

    def unfinished(self) -> int:
        """Jobs that have not ended, and deliveries that have not arrived."""
        open_jobs = self._read(select(jobs.c.id).where(jobs.c.state.not_in(TERMINAL_STATES)))
        pending = self._read(select(deliveries.c.id).where(deliveries.c.state == "queued"))
        return len(open_jobs) + len(pending)

    def told(self, types: Iterable[str]) -> list[Told]:
        """Every event of these types that a delivery was made for."""
        query = (
            select(job_events.c.job_id, job_events.c.id, job_events.c.type, deliveries.c.state)
            .join(deliveries, deliveries.c.event_id == job_events.c.id)
            .where(job_events.c.type.in_(tuple(types)))
        )
        return [
            Told(row.job_id, row.id, row.type, row.state == "queued") for row in self._read(query)
        ]

    def owed(self, job_id: str) -> int:
        """Deliveries about this job that have not arrived."""
        mine = (deliveries.c.job_id == job_id, deliveries.c.state == "queued")
        return len(self._read(select(deliveries.c.id).where(*mine)))

    def places(self, station: str, key: str) -> tuple[int, int]:
        """Places held at a key, and how many jobs have a right to one."""

        async def read() -> tuple[int, int]:
            async with self._store.database.reading() as connection:
                held, _ = await accounts.places(connection, (station, key), datetime.now(UTC))
                rightful = (
                    select(func.count())
                    .select_from(jobs)
                    .where(
                        jobs.c.station == station,
                        jobs.c.key == key,
                        or_(
                            jobs.c.state.in_(HOLDERS),
                            and_(jobs.c.state == "expired", jobs.c.upstream_id.is_not(None)),
                        ),
                    )
                )
                return held, int((await connection.execute(rightful)).scalar() or 0)

        return self._loop.run(read(), 30)

    def tally(self, name: str) -> int:
        """One of the counts that `/metrics` publishes."""
        return self._loop.run(tallies.totals(self._store.database), 30).get(name, 0)

    def close(self) -> None:
        self._loop.run(self._store.close())
        self._loop.stop()

    def _read(self, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        async def read() -> Sequence[Any]:
            async with self._store.database.reading() as connection:
                return (await connection.execute(query)).all()

        return self._loop.run(read(), 30)


COLUMNS = (
    jobs.c.id,
    jobs.c.state,
    jobs.c.version,
    jobs.c.reason,
    jobs.c.wake_at,
    jobs.c.upstream_id,
)


def opened(url: str) -> Coroutine[Any, Any, Store]:
    async def make() -> Store:
        return Store(url, pool_size=2)

    return make()


def row_of(row: Any) -> Row:
    return Row(row.id, row.state, row.version, row.reason, row.wake_at, row.upstream_id)
