"""The metrics of the deployment, for Prometheus.

All but the state of the broker is read from the store: every process returns the same, and nothing
is lost when one ends. Labels name stations and keys of the settings; no tenants, jobs or secrets.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from generation.counters import (
    LOOK_FAULTS,
    LOOKS,
    STRANGE_WORDS,
    SUBMITS,
    SUBMITTED,
    state_counter,
)
from generation.job import TERMINAL, JobState
from generation.stations.key_health import KeyHealth, KeyName
from generation.stations.station import Key
from generation.store import TABLES, StoreMetrics

OF_A_KEY = ("station", "key")


class StoreCollector(Collector):
    """One reading of all metrics."""

    def __init__(self, found: StoreMetrics, keys: dict[KeyName, Key], now: datetime) -> None:
        self._found = found
        self._keys = keys
        self._now = now

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: a registry lives for one response and needs no names in advance."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield from self._submits()
        yield from self._jobs()
        yield from self._stations()
        yield from self._polls()
        yield gauge(
            "genq_deliveries_due",
            "Webhook deliveries that are due and not claimed yet.",
            self._found.deliveries_due,
        )
        unreadable = GaugeMetricFamily(
            "genq_unreadable_rows",
            "Rows that this version cannot read. They are not changed; genq check names them.",
            labels=("table",),
        )
        for table in TABLES:
            unreadable.add_metric([table], self._found.unreadable.get(table, 0))
        yield unreadable

    def _submits(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "genq_upstream_submits",
            "Submits that were accepted upstream, or may have been. Divided by"
            " genq_jobs_submitted_total: paid submits per job.",
            self._found.tallies.get(SUBMITS, 0),
        )
        yield CounterMetricFamily(
            "genq_jobs_submitted",
            "Jobs with at least one such submit.",
            self._found.tallies.get(SUBMITTED, 0),
        )

    def _jobs(self) -> Iterator[Metric]:
        now = GaugeMetricFamily("genq_jobs", "Unfinished jobs by state.", labels=("state",))
        ended = CounterMetricFamily("genq_jobs_ended", "Finished jobs by state.", labels=("state",))
        for state in JobState:
            count = self._found.tallies.get(state_counter(state), 0)
            (ended if state in TERMINAL else now).add_metric([state.value], count)
        yield now
        yield ended
        yield gauge(
            "genq_queue_oldest_seconds",
            "Age of the oldest queued job.",
            self._found.oldest_queued.total_seconds(),
        )

    def _polls(self) -> Iterator[Metric]:
        for name, counter, text in (
            ("genq_looks", LOOKS, "Requests that polled upstream tasks."),
            ("genq_look_faults", LOOK_FAULTS, "Polls without a usable answer."),
            (
                "genq_unknown_status_words",
                STRANGE_WORDS,
                "Answers with an unknown status; the log names each once.",
            ),
        ):
            yield CounterMetricFamily(name, text, self._found.tallies.get(counter, 0))

    def _stations(self) -> Iterator[Metric]:
        gauges = {
            name: GaugeMetricFamily(f"genq_key_{name}", text, labels=(*OF_A_KEY, *labels))
            for name, (text, *labels) in KEY_GAUGES.items()
        }
        for name, key in self._keys.items():
            account = self._found.accounts.get(name) or KeyHealth.of(name)
            in_use = self._found.held[name]
            gauges["in_use"].add_metric(name, in_use)
            gauges["blocked"].add_metric(name, account.blocked_code is not None)
            gauges["cooling"].add_metric(name, account.is_cooling(self._now))
            gauges["looks_paused"].add_metric(name, account.is_unwatched(self._now))
            for block in account.blocks.held(self._now):
                gauges["model_blocked"].add_metric((*name, block.subject, block.code), 1)
            if account.balance is not None:
                gauges["balance"].add_metric((*name, account.balance_unit), account.balance)
            if key.max_in_flight is not None:
                gauges["max_in_flight"].add_metric(name, key.max_in_flight)
                gauges["free"].add_metric(name, max(0, key.max_in_flight - in_use))
        yield from gauges.values()


#: Text and further labels of the gauges of each key, by their names after `genq_key_`.
KEY_GAUGES: Mapping[str, Sequence[str]] = {
    "in_use": ("Jobs in flight at a key.",),
    "max_in_flight": ("Limit of jobs in flight of a key.",),
    "free": ("Free slots of a key with a limit.",),
    "blocked": ("1 while the station refuses the key.",),
    "cooling": ("1 while the station asks for a pause with the key.",),
    "looks_paused": ("1 while the station refuses polls with the key; no job is submitted then.",),
    "model_blocked": ("1 while the station refuses one model with the key.", "model", "code"),
    "balance": ("Balance of a key that is out of credits, as its station reports it.", "unit"),
}


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)
