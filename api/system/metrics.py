"""
`/metrics`: the deployment's figures, for Prometheus.

Everything but the state of the broker is read from the store, so each process says the same and
nothing is lost when one ends.
Stations and keys are named by what the settings call them; no tenant, job or secret is.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from api.system.broker_metrics import read_broker
from generation.counters import (
    LOOK_FAULTS,
    LOOKS,
    STRANGE_WORDS,
    SUBMITS,
    SUBMITTED,
    standing,
)
from generation.job import TERMINAL, JobState
from generation.queue import Nudger
from generation.stations.key_health import KeyHealth, KeyName
from generation.stations.station import Key, Stations
from generation.store import TABLES, DeploymentMetrics, Store, figures

OF_A_KEY = ("station", "key")


class Metrics:
    """The endpoint for whoever watches."""

    def __init__(self, store: Store, nudger: Nudger, stations: Stations) -> None:
        self._store = store
        self._nudger = nudger
        self._keys = {(station.name, key.name): key for station in stations for key in station.keys}

    async def read(self, request: Request, caller: object) -> Response:
        del request, caller
        now = datetime.now(UTC)
        found = await figures(self._store.database, self._keys, now)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Reading(found, self._keys, now))
        registry.register(await read_broker(self._nudger))
        return Response(
            generate_latest(registry),
            media_type=CONTENT_TYPE_LATEST,
            headers={"Cache-Control": "no-store"},
        )


class Reading(Collector):
    """One reading of all figures."""

    def __init__(self, found: DeploymentMetrics, keys: dict[KeyName, Key], now: datetime) -> None:
        self._found = found
        self._keys = keys
        self._now = now

    def describe(self) -> Iterator[Metric]:
        """Nothing: a registry lives for one reading, and need not know names before."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield from self._bill()
        yield from self._jobs()
        yield from self._stations()
        yield from self._looks()
        yield gauge(
            "genq_deliveries_due",
            "Webhook deliveries whose time has come and that nobody has taken yet.",
            self._found.deliveries_due,
        )
        unreadable = GaugeMetricFamily(
            "genq_unreadable_rows",
            "Rows that this version cannot read; they are left as they are. genq check names them.",
            labels=("table",),
        )
        for table in TABLES:
            unreadable.add_metric([table], self._found.unreadable.get(table, 0))
        yield unreadable

    def _bill(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "genq_upstream_submits",
            "Submits that were accepted upstream, or may have been. Over genq_jobs_submitted_total:"
            " paid submits per job.",
            self._found.tallies.get(SUBMITS, 0),
        )
        yield CounterMetricFamily(
            "genq_jobs_submitted",
            "Jobs that have had such a submit.",
            self._found.tallies.get(SUBMITTED, 0),
        )

    def _jobs(self) -> Iterator[Metric]:
        now = GaugeMetricFamily("genq_jobs", "Unfinished jobs by state.", labels=("state",))
        ended = CounterMetricFamily("genq_jobs_ended", "Jobs that ended so.", labels=("state",))
        for state in JobState:
            count = self._found.tallies.get(standing(state), 0)
            (ended if state in TERMINAL else now).add_metric([state.value], count)
        yield now
        yield ended
        yield gauge(
            "genq_queue_oldest_seconds",
            "How long the oldest queued job has waited since it was ordered.",
            self._found.oldest_queued.total_seconds(),
        )

    def _looks(self) -> Iterator[Metric]:
        for name, tally, words in (
            ("genq_looks", LOOKS, "Requests that looked at tasks upstream."),
            ("genq_look_faults", LOOK_FAULTS, "Of these, the ones that brought no answer."),
            (
                "genq_unknown_status_words",
                STRANGE_WORDS,
                "Answers with a status that genq does not know; the log names each once.",
            ),
        ):
            yield CounterMetricFamily(name, words, self._found.tallies.get(tally, 0))

    def _stations(self) -> Iterator[Metric]:
        in_use = GaugeMetricFamily(
            "genq_key_in_use", "Places taken at a station's key.", labels=OF_A_KEY
        )
        limit = GaugeMetricFamily(
            "genq_key_max_in_flight", "Places a limited key has.", labels=OF_A_KEY
        )
        free = GaugeMetricFamily("genq_key_free", "Places a limited key has left.", labels=OF_A_KEY)
        blocked = GaugeMetricFamily(
            "genq_key_blocked", "1 while the station refuses the key itself.", labels=OF_A_KEY
        )
        cooling = GaugeMetricFamily(
            "genq_key_cooling", "1 while the station wants a pause with the key.", labels=OF_A_KEY
        )
        paused = GaugeMetricFamily(
            "genq_key_looks_paused",
            "1 while the station refuses looks with the key; nothing is bought then.",
            labels=OF_A_KEY,
        )
        held = GaugeMetricFamily(
            "genq_key_model_blocked",
            "1 while the station refuses one model with the key.",
            labels=(*OF_A_KEY, "model", "code"),
        )
        balance = GaugeMetricFamily(
            "genq_key_balance",
            "What is left in the account of a key that is out of credits, as its station says.",
            labels=(*OF_A_KEY, "unit"),
        )
        for name, key in self._keys.items():
            account = self._found.accounts.get(name) or KeyHealth.of(name)
            in_use.add_metric(name, self._found.held[name])
            blocked.add_metric(name, account.blocked_code is not None)
            cooling.add_metric(name, account.is_cooling(self._now))
            paused.add_metric(name, account.is_unwatched(self._now))
            for block in account.blocks.held(self._now):
                held.add_metric((*name, block.subject, block.code), 1)
            if account.balance is not None:
                balance.add_metric((*name, account.balance_unit), account.balance)
            if key.max_in_flight is not None:
                limit.add_metric(name, key.max_in_flight)
                free.add_metric(name, max(0, key.max_in_flight - self._found.held[name]))
        yield from (in_use, limit, free, blocked, cooling, paused, held, balance)


def gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)
