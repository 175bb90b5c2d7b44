"""When to poll: polls per job and lag of finding its end, against polling every 5 and 15 seconds.

A simulation with the real decisions (`generation.polling.schedule`), random durations and no
network.

Durations are log-normal like those recorded for each operation, shifted from the contract's usual
duration, with two percent stragglers. Learned durations are exchanged every 20 jobs, as workers do;
the first half of the jobs is for learning and not counted. A new-api relay refreshes its task table
every 15 seconds: there the lag begins at the refresh.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from math import exp
from random import Random

from generation import providers
from generation.polling.duration_histogram import EMPTY_HISTOGRAM, ObservedDuration
from generation.polling.pace import Pace
from generation.polling.schedule import next_look

JOBS = 3000
EXCHANGE_EVERY = 20
#: The ticker's interval: delay between a due poll and its request.
TICK_SECONDS = 0.5

Wait = Callable[[float, Random], float]


@dataclass(frozen=True, slots=True)
class SimulatedOperation:
    """An operation and the distribution of its real durations."""

    provider: str
    operation: str
    dialect: str
    median: float
    #: The standard deviation of the logarithm.
    spread: float

    def drawn(self, rng: Random) -> float:
        straggles = 3.0 if rng.random() < 0.02 else 1.0
        return self.median * exp(rng.gauss(0, self.spread)) * straggles

    @property
    def pace(self) -> Pace:
        operation = providers.find(self.provider, self.operation, self.dialect)
        assert operation is not None, f"{self.dialect} has no {self.operation}"
        return operation.pace


OPERATIONS = (
    SimulatedOperation("flux", "kontext_pro", "flux.bfl", 8, 0.4),
    SimulatedOperation("midjourney", "imagine", "midjourney.proxy", 48, 0.35),
    SimulatedOperation("luma", "video", "luma.dream_machine", 75, 0.35),
    SimulatedOperation("suno", "music", "suno.taskid", 115, 0.25),
    SimulatedOperation("kling", "text2video", "kling.v1", 160, 0.35),
    SimulatedOperation("kling", "image2video", "kling.v1", 330, 0.3),
)
RELAYED = (
    SimulatedOperation("midjourney", "imagine", "midjourney.station", 48, 0.35),
    SimulatedOperation("kling", "text2video", "kling.newapi", 160, 0.35),
)


@dataclass(frozen=True, slots=True)
class PollingResult:
    """Polls per job and lag of finding its end."""

    looks: list[int]
    lags: list[float]

    def __add__(self, other: "PollingResult") -> "PollingResult":
        return PollingResult(self.looks + other.looks, self.lags + other.lags)

    @property
    def text(self) -> str:
        late = statistics.quantiles(self.lags, n=20)[18]
        return f"{statistics.mean(self.looks):.1f}; {statistics.median(self.lags):.1f} / {late:.1f}"


def main() -> None:
    print("Looks a job; lag p50 / p95 in seconds.\n")
    names = ("operation (real median)", "genq, unlearned", "genq", "fixed 5 s", "fixed 15 s")
    print(f"| {' | '.join(names)} |")
    print("|---|---|---|---|---|")
    for title, work in (("all of these, as many of each", OPERATIONS), ("both relayed", RELAYED)):
        columns = [
            [genq_schedule(each, learning=False) for each in work],
            [genq_schedule(each, learning=True) for each in work],
            [fixed_schedule(each, 5) for each in work],
            [fixed_schedule(each, 15) for each in work],
        ]
        for number, each in enumerate(work):
            cells = " | ".join(column[number].text for column in columns)
            name = f"{each.dialect} {each.operation} ({each.median:g} s)"
            print(f"| {name} | {cells} |", flush=True)
        cells = " | ".join(sum(column[1:], column[0]).text for column in columns)
        print(f"| **{title}** | {cells} |", flush=True)


def genq_schedule(work: SimulatedOperation, *, learning: bool) -> PollingResult:
    """Poll at genq's intervals."""
    rng, pace, sketch = Random(1), work.pace, EMPTY_HISTOGRAM
    found = PollingResult([], [])

    def wait(age: float, rng: Random) -> float:
        return next_look(pace, timedelta(seconds=age), rng.random()).total_seconds()

    for first in range(0, JOBS, EXCHANGE_EVERY):
        endings: list[ObservedDuration] = []
        for _ in range(EXCHANGE_EVERY):
            looks, lag, ending = poll_job(work, wait, rng)
            endings.append(ending)
            if first >= JOBS // 2:
                found.looks.append(looks)
                found.lags.append(lag)
        if learning:
            sketch = sketch.with_durations(endings)
            pace = replace(pace, seen=sketch)
    return found


def fixed_schedule(work: SimulatedOperation, seconds: float) -> PollingResult:
    rng = Random(1)
    watched = [poll_job(work, lambda age, rng: seconds, rng) for _ in range(JOBS // 2)]
    return PollingResult([looks for looks, _, _ in watched], [lag for _, lag, _ in watched])


def poll_job(
    work: SimulatedOperation, wait: Wait, rng: Random
) -> tuple[int, float, ObservedDuration]:
    """Poll one job from its start until a poll finds its end."""
    ended = visible_end(work, rng)
    age, before, looks = 0.0, 0.0, 0
    while age < ended:
        before = age
        age += wait(age, rng) + rng.random() * TICK_SECONDS
        looks += 1
    return looks, age - ended, ObservedDuration(before, age)


def visible_end(work: SimulatedOperation, rng: Random) -> float:
    """Return the age at which the upstream reports the end."""
    ended = work.drawn(rng)
    refresh = work.pace.floor.total_seconds() if work in RELAYED else 0.0
    if not refresh:
        return ended
    begun = rng.random() * refresh
    return ended + (begun - ended) % refresh
