"""
When to look: looks a job and the lag of finding its end, against looking every 5 and every 15
seconds. A simulation: the real decisions (`generation.polling.schedule`), drawn durations, no
network.

Durations are drawn from log-normal curves like those of the recordings behind each operation's
contract, shifted away from what the contract calls usual, with one straggler in fifty. What has
been learned is exchanged every 20 jobs, as workers do; the first half of the jobs is learning, and
not counted. A relay of the new-api kind refreshes its books every 15 seconds: there the lag begins
when its books say so.
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
EXCHANGE = 20
#: Between a look that is due and its request: the ticker's interval.
TICK_SECONDS = 0.5

Wait = Callable[[float, Random], float]


@dataclass(frozen=True, slots=True)
class Work:
    """An operation, and how long its tasks really take."""

    provider: str
    operation: str
    dialect: str
    median: float
    #: The standard deviation of the logarithm.
    spread: float

    def drawn(self, jitter: Random) -> float:
        straggles = 3.0 if jitter.random() < 0.02 else 1.0
        return self.median * exp(jitter.gauss(0, self.spread)) * straggles

    @property
    def pace(self) -> Pace:
        operation = providers.find(self.provider, self.operation, self.dialect)
        assert operation is not None, f"{self.dialect} has no {self.operation}"
        return operation.pace


WORK = (
    Work("flux", "kontext_pro", "flux.bfl", 8, 0.4),
    Work("midjourney", "imagine", "midjourney.proxy", 48, 0.35),
    Work("luma", "video", "luma.dream_machine", 75, 0.35),
    Work("suno", "music", "suno.taskid", 115, 0.25),
    Work("kling", "text2video", "kling.v1", 160, 0.35),
    Work("kling", "image2video", "kling.v1", 330, 0.3),
)
RELAYED = (
    Work("midjourney", "imagine", "midjourney.station", 48, 0.35),
    Work("kling", "text2video", "kling.newapi", 160, 0.35),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What some jobs cost, and how late their ends were found."""

    looks: list[int]
    lags: list[float]

    def __add__(self, other: "Found") -> "Found":
        return Found(self.looks + other.looks, self.lags + other.lags)

    @property
    def words(self) -> str:
        late = statistics.quantiles(self.lags, n=20)[18]
        return f"{statistics.mean(self.looks):.1f}; {statistics.median(self.lags):.1f} / {late:.1f}"


def main() -> None:
    print("Looks a job; lag p50 / p95 in seconds.\n")
    names = ("operation (real median)", "genq, unlearned", "genq", "fixed 5 s", "fixed 15 s")
    print(f"| {' | '.join(names)} |")
    print("|---|---|---|---|---|")
    for title, work in (("all of these, as many of each", WORK), ("both relayed", RELAYED)):
        columns = [
            [usual(each, learning=False) for each in work],
            [usual(each, learning=True) for each in work],
            [fixed(each, 5) for each in work],
            [fixed(each, 15) for each in work],
        ]
        for number, each in enumerate(work):
            cells = " | ".join(column[number].words for column in columns)
            name = f"{each.dialect} {each.operation} ({each.median:g} s)"
            print(f"| {name} | {cells} |", flush=True)
        cells = " | ".join(sum(column[1:], column[0]).words for column in columns)
        print(f"| **{title}** | {cells} |", flush=True)


def usual(work: Work, *, learning: bool) -> Found:
    """Looks as genq spaces them."""
    jitter, pace, sketch = Random(1), work.pace, EMPTY_HISTOGRAM
    found = Found([], [])

    def wait(age: float, jitter: Random) -> float:
        return next_look(pace, timedelta(seconds=age), jitter.random()).total_seconds()

    for first in range(0, JOBS, EXCHANGE):
        endings: list[ObservedDuration] = []
        for _ in range(EXCHANGE):
            looks, lag, ending = watch(work, wait, jitter)
            endings.append(ending)
            if first >= JOBS // 2:
                found.looks.append(looks)
                found.lags.append(lag)
        if learning:
            sketch = sketch.with_durations(endings)
            pace = replace(pace, seen=sketch)
    return found


def fixed(work: Work, seconds: float) -> Found:
    jitter = Random(1)
    watched = [watch(work, lambda age, jitter: seconds, jitter) for _ in range(JOBS // 2)]
    return Found([looks for looks, _, _ in watched], [lag for _, lag, _ in watched])


def watch(work: Work, wait: Wait, jitter: Random) -> tuple[int, float, ObservedDuration]:
    """One job from its start to the look that finds its end."""
    ended = told(work, jitter)
    age, before, looks = 0.0, 0.0, 0
    while age < ended:
        before = age
        age += wait(age, jitter) + jitter.random() * TICK_SECONDS
        looks += 1
    return looks, age - ended, ObservedDuration(before, age)


def told(work: Work, jitter: Random) -> float:
    """The age at which the upstream's books say that the task has ended."""
    ended = work.drawn(jitter)
    refresh = work.pace.floor.total_seconds() if work in RELAYED else 0.0
    if not refresh:
        return ended
    begun = jitter.random() * refresh
    return ended + (begun - ended) % refresh
