"""
Whether this process lives, and whether what it needs is there.

Both are open to everybody, so they speak in general terms: what is wrong and what to do, but no
address and no error text, and no name but those of stations and keys, which every job shows.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from api.http.responses import json_answer
from api.http.timeouts import within
from generation.broker import fault_of
from generation.queue import Nudger
from generation.stations.key_health import KeyHealth
from generation.stations.station import Stations
from generation.store import Store, revisions

log = structlog.get_logger(__name__)

#: What does not answer within this does not answer.
PATIENCE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is needed: whether it is there and, in a sentence, what to do if not."""

    ok: bool
    detail: str
    #: False for what new jobs need but this process can do without.
    required: bool = True

    def document(self) -> dict[str, Any]:
        return {"ok": self.ok, "required": self.required, "detail": self.detail}


class Readiness:
    """Looks at what the API needs. However many ask at once, there is one look at a time."""

    def __init__(self, store: Store, nudger: Nudger, stations: Stations) -> None:
        self._store = store
        self._nudger = nudger
        self._stations = stations
        self._looking: asyncio.Task[dict[str, Check]] | None = None

    async def look(self) -> dict[str, Check]:
        """Every check by name, within little more than `PATIENCE`."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> dict[str, Check]:
        store, broker, workers, keys, rows = await asyncio.gather(
            self._store_checks(),
            self._broker_check(),
            self._workers_check(),
            self._keys_check(),
            self._rows_check(),
        )
        return {
            **store,
            "broker": broker,
            "workers": workers,
            "stations": self._stations_check(),
            "keys": keys,
            "rows": rows,
        }

    async def _store_checks(self) -> dict[str, Check]:
        try:
            found = await within(PATIENCE, revisions(self._store.database))
        except TimeoutError:
            words = "The database does not answer in time; see whether it runs and has room."
        except Exception as error:
            log.warning("store_check_failed", error=str(error))
            words = (
                "The database cannot be reached; start it, or correct GENQ_DATABASE_URL and restart"
                " the API."
            )
        else:
            schema = (
                Check(True, "The schema is the one this version needs.")
                if found.match
                else Check(
                    False,
                    f"The schema is at revision {found.found or 'none'} and this version needs"
                    f" {found.needed}; run: genq migrate",
                )
            )
            return {"store": Check(True, "The database answers."), "schema": schema}
        unknown = Check(False, "Unknown while the database does not answer.")
        return {"store": Check(False, words), "schema": unknown}

    async def _broker_check(self) -> Check:
        """Orders are accepted without a broker, so this process is ready without one."""
        try:
            fault = await within(PATIENCE, self._nudger.fault())
        except Exception as error:
            fault = fault_of(error)
        if fault is None:
            return Check(True, "The broker answers.", required=False)
        log.warning("broker_check_failed", code=fault.code, error=fault.error)
        said = f"The broker answers {fault.code}" if fault.code else "The broker does not answer"
        return Check(
            False,
            f"{said}; {fault.advice}. Orders are accepted and kept meanwhile, and not sent.",
            required=False,
        )

    async def _workers_check(self) -> Check:
        """Workers report through the broker, so nothing is known while it is away."""
        try:
            workers = await within(PATIENCE, self._nudger.workers())
        except Exception:
            workers = None
        if workers is None:
            return Check(False, "Unknown while the broker does not answer.", required=False)
        if not workers:
            words = "No worker has reported in the last minute; start one: genq worker"
            return Check(False, words, required=False)
        off = [
            f"{' and '.join(worker.switched_off)} of {worker.name}"
            for worker in workers
            if worker.switched_off
        ]
        if not off:
            return Check(True, f"{len(workers)} running.", required=False)
        return Check(
            False,
            f"Switched off by Celery's remote control: {'; '.join(off)}. Restart the worker to"
            " switch it on.",
            required=False,
        )

    async def _keys_check(self) -> Check:
        """Not ready only where nothing can be bought at all: one key is enough to go on with."""
        try:
            known = await within(PATIENCE, self._store.accounts.all())
        except Exception as error:
            log.warning("keys_check_failed", error=str(error))
            return Check(False, "Unknown while the database does not answer.", required=False)
        names = {(station.name, key.name) for station in self._stations for key in station.keys}
        blocked = [
            f"station {account.station} refuses key {account.key} ({why(account)})"
            for name, account in sorted(known.items())
            if name in names and account.blocked_code is not None
        ]
        now = datetime.now(UTC)
        limping = [
            words
            for name, account in sorted(known.items())
            if name in names
            for words in troubles_of(account, now)
        ]
        if not blocked and not limping:
            return Check(True, "No station refuses its key.", required=False)
        nothing_left = len(blocked) == len(names)
        hint = "Correct the key or add credit; it" if blocked else "It"
        return Check(
            False,
            f"{'; '.join([*blocked, *limping])}. {hint} is tried again by itself, and the jobs"
            " concerned wait meanwhile; genq check says more.",
            required=nothing_left,
        )

    async def _rows_check(self) -> Check:
        """What cannot be read holds up nothing else, so it makes nobody unready."""
        try:
            counts = await within(PATIENCE, self._store.set_aside.counts())
        except Exception as error:
            log.warning("rows_check_failed", error=str(error))
            return Check(False, "Unknown while the database does not answer.", required=False)
        if not counts:
            return Check(True, "Everything stored that was asked for could be read.", False)
        told = ", ".join(f"{count} of {table}" for table, count in counts.items())
        return Check(
            False,
            f"Rows that cannot be read: {told}. They are left as they are; genq check names them.",
            required=False,
        )

    def _stations_check(self) -> Check:
        if len(self._stations):
            return Check(True, f"{len(self._stations)} configured.", required=False)
        return Check(
            False,
            "No station is configured, so nothing can be ordered; set GENQ_STATION_URL and"
            " GENQ_STATION_KEY, or write a stations.toml, and restart.",
            required=False,
        )


def why(account: KeyHealth) -> str:
    """Why a key is refused, and what is left of its credit where that is known."""
    if account.balance is None:
        return f"{account.blocked_code}"
    return f"{account.blocked_code}, {account.balance:g} {account.balance_unit} left"


def troubles_of(account: KeyHealth, now: datetime) -> Iterator[str]:
    """What a key cannot do for now that is let in otherwise. Models are named to nobody here."""
    where = f"station {account.station} refuses key {account.key}"
    held = Counter((block.provider, block.code) for block in account.blocks.held(now))
    for (provider, code), count in sorted(held.items()):
        models = "one model" if count == 1 else f"{count} models"
        yield f"{where} for {models} of {provider} ({code})"
    if account.is_unwatched(now):
        yield (
            f"station {account.station} refuses to be asked about tasks of key {account.key} until"
            f" {account.look_after:%H:%M:%S} UTC, so nothing is bought with it"
        )


class Health:
    """The endpoints for load balancers and people on call."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def alive(self, request: Request) -> Response:
        """Says that this process answers, and nothing about what it needs."""
        del request
        return json_answer({"ok": True})

    async def ready(self, request: Request) -> Response:
        """200 if every required check is well, else 503."""
        del request
        checks = await self._readiness.look()
        ready = all(check.ok for check in checks.values() if check.required)
        document = {
            "ready": ready,
            "degraded": [
                name for name, check in checks.items() if not check.ok and not check.required
            ],
            "checks": {name: check.document() for name, check in checks.items()},
        }
        return json_answer(document, 200 if ready else 503, {"Cache-Control": "no-store"})
