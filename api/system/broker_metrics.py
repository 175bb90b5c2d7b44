"""The broker's part of `/metrics`: its state, and the workers that report through it."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.timeouts import within
from api.system.health import TIMEOUT
from generation.broker import BrokerFault, WorkerReport, fault_of
from generation.queue import Nudger


async def read_broker(nudger: Nudger) -> "BrokerCollector":
    """Return the state of the broker, after little more than `TIMEOUT` at most."""
    try:
        return await within(TIMEOUT, ask(nudger))
    except Exception as error:
        return BrokerCollector(fault_of(error), None)


async def ask(nudger: Nudger) -> "BrokerCollector":
    return BrokerCollector(await nudger.fault(), await nudger.workers())


class BrokerCollector(Collector):
    """The state of the broker and of its workers."""

    def __init__(self, fault: BrokerFault | None, workers: Sequence[WorkerReport] | None) -> None:
        self._fault = fault
        #: None if the broker could not be asked.
        self._workers = workers

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: a registry lives for one response and needs no names in advance."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("genq_broker_up", "1 if the broker accepts messages.")
        up.add_metric([], self._fault is None)
        yield up
        error = GaugeMetricFamily(
            "genq_broker_error", "1 for the error code of the broker.", labels=("code",)
        )
        if self._fault and self._fault.code:
            error.add_metric([self._fault.code], 1)
        yield error
        if self._workers is None:
            return
        running = GaugeMetricFamily(
            "genq_workers", "Workers that have reported in the last minute."
        )
        running.add_metric([], len(self._workers))
        yield running
        off = GaugeMetricFamily(
            "genq_workers_switched_off",
            "Workers in which Celery's remote control has switched something off.",
        )
        off.add_metric([], sum(bool(worker.switched_off) for worker in self._workers))
        yield off
