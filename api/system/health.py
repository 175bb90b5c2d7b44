"""Checks of what the API needs: database, schema, broker, workers, stations, keys, rows.

The results are public. They say in a sentence what is wrong and what to do, without addresses and
error texts, and with no names but those of stations and keys, which every job shows.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog

from api.http.timeouts import within
from generation.broker import fault_of
from generation.queue import Nudger
from generation.stations.key_health import KeyHealth
from generation.stations.station import Stations
from generation.store import Store, revisions

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: A part that does not answer within this time counts as away.
TIMEOUT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether a part works and, in a sentence, what to do if not."""

    ok: bool
    detail: str
    #: False if this process can accept jobs without the part.
    required: bool = True

    def document(self) -> dict[str, Any]:
        return asdict(self)


UNKNOWN = CheckResult(False, "Unknown while the database does not answer.")
UNKNOWN_OPTIONAL = CheckResult(False, UNKNOWN.detail, required=False)


def optional(ok: bool, detail: str) -> CheckResult:
    return CheckResult(ok, detail, required=False)


class ReadinessChecks:
    """All checks. Concurrent callers share one run."""

    def __init__(self, store: Store, nudger: Nudger, stations: Stations) -> None:
        self._store = store
        self._nudger = nudger
        self._stations = stations
        self._running: asyncio.Task[dict[str, CheckResult]] | None = None

    async def run(self) -> dict[str, CheckResult]:
        """Return all results by name, after little more than `TIMEOUT` at most."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await asyncio.shield(self._running)

    async def _run(self) -> dict[str, CheckResult]:
        store, broker, workers, keys, rows = await asyncio.gather(
            self._check_store(),
            self._check_broker(),
            self._check_workers(),
            self._check_keys(),
            self._check_rows(),
        )
        return {
            **store,
            "broker": broker,
            "workers": workers,
            "stations": self._check_stations(),
            "keys": keys,
            "rows": rows,
        }

    async def _check_store(self) -> dict[str, CheckResult]:
        try:
            found = await within(TIMEOUT, revisions(self._store.database))
        except TimeoutError:
            detail = (
                "The database does not answer in time; check that it runs and has free resources."
            )
        except Exception as error:
            log.warning("store_check_failed", error=str(error))
            detail = (
                "The database cannot be reached; start it, or correct GENQ_DATABASE_URL and restart"
                " the API."
            )
        else:
            schema = (
                CheckResult(True, "The schema is the one this version needs.")
                if found.match
                else CheckResult(
                    False,
                    f"The schema is at revision {found.found or 'none'} and this version needs"
                    f" {found.needed}; run: genq migrate",
                )
            )
            return {"store": CheckResult(True, "The database answers."), "schema": schema}
        return {"store": CheckResult(False, detail), "schema": UNKNOWN}

    async def _check_broker(self) -> CheckResult:
        """Not required: jobs are accepted without a broker."""
        try:
            fault = await within(TIMEOUT, self._nudger.fault())
        except Exception as error:
            fault = fault_of(error)
        if fault is None:
            return optional(True, "The broker answers.")
        log.warning("broker_check_failed", code=fault.code, error=fault.error)
        answer = f"The broker answers {fault.code}" if fault.code else "The broker does not answer"
        return optional(
            False,
            f"{answer}; {fault.advice}. Jobs are accepted and stored, and sent once it works.",
        )

    async def _check_workers(self) -> CheckResult:
        """Workers report through the broker; nothing is known of them while it is away."""
        try:
            workers = await within(TIMEOUT, self._nudger.workers())
        except Exception:
            workers = None
        if workers is None:
            return optional(False, "Unknown while the broker does not answer.")
        if not workers:
            return optional(
                False, "No worker has reported in the last minute; start one: genq worker"
            )
        off = [
            f"{' and '.join(worker.switched_off)} of {worker.name}"
            for worker in workers
            if worker.switched_off
        ]
        if not off:
            return optional(True, f"{len(workers)} running.")
        return optional(
            False,
            f"Switched off by Celery's remote control: {'; '.join(off)}. Restart the worker to"
            " switch it on.",
        )

    async def _check_keys(self) -> CheckResult:
        """Required only if no key works at all: one key is enough to go on."""
        known = await self._ask("keys", self._store.accounts.all())
        if known is None:
            return UNKNOWN_OPTIONAL
        names = {(station.name, key.name) for station in self._stations for key in station.keys}
        accounts = [account for name, account in sorted(known.items()) if name in names]
        blocked = [
            f"station {account.station} refuses key {account.key} ({block_reason(account)})"
            for account in accounts
            if account.blocked_code is not None
        ]
        now = datetime.now(UTC)
        limited = [detail for account in accounts for detail in limitations(account, now)]
        if not blocked and not limited:
            return optional(True, "No station refuses its key.")
        hint = "Correct the key or add credit; it" if blocked else "It"
        return CheckResult(
            False,
            f"{'; '.join([*blocked, *limited])}. {hint} is tried again automatically, and its jobs"
            " wait meanwhile; genq check says more.",
            required=len(blocked) == len(names),
        )

    async def _check_rows(self) -> CheckResult:
        """Not required: an unreadable row affects only itself."""
        counts = await self._ask("rows", self._store.set_aside.counts())
        if counts is None:
            return UNKNOWN_OPTIONAL
        if not counts:
            return optional(True, "All rows that were read are readable.")
        listed = ", ".join(f"{count} of {table}" for table, count in counts.items())
        return optional(
            False, f"Unreadable rows: {listed}. They are not changed; genq check names them."
        )

    def _check_stations(self) -> CheckResult:
        if len(self._stations):
            return optional(True, f"{len(self._stations)} configured.")
        return optional(
            False,
            "No station is configured, so no job can be submitted; set GENQ_STATION_URL and"
            " GENQ_STATION_KEY, or write a stations.toml, and restart.",
        )

    async def _ask(self, check: str, work: Coroutine[Any, Any, Answer]) -> Answer | None:
        """Return what the store answers; None if it does not."""
        try:
            return await within(TIMEOUT, work)
        except Exception as error:
            log.warning(f"{check}_check_failed", error=str(error))
            return None


def block_reason(account: KeyHealth) -> str:
    """Return why a key is refused, and its balance if that is known."""
    if account.balance is None:
        return f"{account.blocked_code}"
    return f"{account.blocked_code}, {account.balance:g} {account.balance_unit} left"


def limitations(account: KeyHealth, now: datetime) -> Iterator[str]:
    """Yield what a working key cannot do for now. Models are counted, not named."""
    where = f"station {account.station} refuses key {account.key}"
    held = Counter((block.provider, block.code) for block in account.blocks.held(now))
    for (provider, code), count in sorted(held.items()):
        models = "one model" if count == 1 else f"{count} models"
        yield f"{where} for {models} of {provider} ({code})"
    if account.is_unwatched(now):
        yield (
            f"station {account.station} refuses to be asked about tasks of key {account.key} until"
            f" {account.look_after:%H:%M:%S} UTC, so no job is submitted with it"
        )
