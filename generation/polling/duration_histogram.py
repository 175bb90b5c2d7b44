"""Histograms of task durations that many processes can add to.

Buckets grow by a fifth, from a quarter of a second to a day and a half, each with a weight. The sum
of histograms is a histogram, an outlier is one count in a far bucket, and old durations fade as new
ones come, so a station that has become slower is soon recognized.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import erf, log, sqrt

SHORTEST_SECONDS = 0.25
BUCKETS_AN_OCTAVE = 4
BUCKETS = 76
#: The end of each bucket in seconds. The first begins at 0, the last also takes longer durations.
EDGES = tuple(SHORTEST_SECONDS * 2 ** (i / BUCKETS_AN_OCTAVE) for i in range(BUCKETS))
#: About as many durations are remembered, so a change is learned within as many jobs.
MEMORY = 200.0
#: A standard normal variable is below this in nine of ten cases.
NINE_IN_TEN = 1.2816
#: The smallest spread of durations that is assumed.
NARROWEST = 0.1


@dataclass(frozen=True, slots=True)
class ObservedDuration:
    """A task that had ended at an age of `upper` seconds and was running at `lower` seconds."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class DurationHistogram:
    """Weights by bucket. Compared by identity, so that it is cheap as a dictionary key."""

    weights: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.weights)

    def with_durations(self, endings: Iterable[ObservedDuration]) -> "DurationHistogram":
        """Return the histogram with these durations added, and older ones faded to `MEMORY`."""
        weights = list(self.weights)
        for ending in endings:
            for bucket, share in spread(ending):
                weights[bucket] += share
        fade = min(1.0, MEMORY / max(sum(weights), 1.0))
        return DurationHistogram(tuple(weight * fade for weight in weights))

    def document(self) -> dict[str, float]:
        """Return the stored form: the buckets with a weight."""
        return {str(i): round(w, 4) for i, w in enumerate(self.weights) if w >= 0.0001}


EMPTY_HISTOGRAM = DurationHistogram((0.0,) * BUCKETS)


def histogram_of(document: Mapping[str, float]) -> DurationHistogram:
    """Read a stored document. Buckets that this version does not have are ignored."""
    return DurationHistogram(tuple(float(document.get(str(i), 0.0)) for i in range(BUCKETS)))


def spread(ending: ObservedDuration) -> list[tuple[int, float]]:
    """Spread one duration over the buckets it may belong to.

    The task ended between two looks. The first half of a long gap is left out: a first look that
    comes too late is assumed to be at most twice too late, and the next one comes sooner.
    """
    upper = min(max(ending.upper, 0.01), EDGES[-1])
    lower = min(max(ending.lower, upper / 2), upper * 0.99)
    shares: list[tuple[int, float]] = []
    bucket = bisect_right(EDGES, lower)
    begin = lower
    while begin < upper and bucket < BUCKETS:
        end = min(EDGES[bucket], upper)
        shares.append((bucket, (end - begin) / (upper - lower)))
        begin, bucket = end, bucket + 1
    return shares


def usual_shares(early: float, typical: float, late: float) -> tuple[float, ...]:
    """Return the share of each bucket for the usual durations.

    One task in ten ends within `early` seconds, half within `typical` and nine in ten within
    `late`: two halves of log-normal curves.
    """

    def ended(age: float) -> float:
        distance = log(age / typical)
        far = log(typical / early) if distance < 0 else log(late / typical)
        return (1 + erf(distance / max(far / NINE_IN_TEN, NARROWEST) / sqrt(2))) / 2

    shares = [ended(edge) for edge in EDGES]
    return tuple(share - before for before, share in zip([0.0, *shares], shares, strict=False))
