"""
The broker's part of `/metrics`: what it answers, and the workers that report through it.
"""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.timeouts import within
from api.system.health import PATIENCE
from generation.broker import BrokerFault, WorkerReport, fault_of
from generation.queue import Nudger


async def read_broker(nudger: Nudger) -> "BrokerReading":
    """One reading, within little more than `PATIENCE`."""
    try:
        return await within(PATIENCE, ask(nudger))
    except Exception as error:
        return BrokerReading(fault_of(error), None)


async def ask(nudger: Nudger) -> "BrokerReading":
    return BrokerReading(await nudger.fault(), await nudger.workers())


class BrokerReading(Collector):
    """What the broker answers, and what is switched off in the workers that report through it."""

    def __init__(self, fault: BrokerFault | None, workers: Sequence[WorkerReport] | None) -> None:
        self._fault = fault
        #: None where the broker could not be asked.
        self._workers = workers

    def describe(self) -> Iterator[Metric]:
        """Nothing: a registry lives for one reading, and need not know names before."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("genq_broker_up", "1 if the broker takes what genq sends it.")
        up.add_metric([], self._fault is None)
        yield up
        error = GaugeMetricFamily(
            "genq_broker_error", "1 for the error code that the broker answers.", labels=("code",)
        )
        if self._fault and self._fault.code:
            error.add_metric([self._fault.code], 1)
        yield error
        if self._workers is None:
            return
        running = GaugeMetricFamily(
            "genq_workers", "Workers that have reported through the broker in the last minute."
        )
        running.add_metric([], len(self._workers))
        yield running
        off = GaugeMetricFamily(
            "genq_workers_switched_off",
            "Of these, the ones in which Celery's remote control has switched something off.",
        )
        off.add_metric([], sum(bool(worker.switched_off) for worker in self._workers))
        yield off
