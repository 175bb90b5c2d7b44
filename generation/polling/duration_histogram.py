"""
How long tasks take: a sketch of the endings seen, which many processes can add to.

Buckets a fifth apart, from a quarter of a second to a day and a half, each with a weight. Sums of
sketches are sketches, an outlier is one count in a far bucket, and old endings fade as new ones
come, so that a station which has become slower is soon known as such.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import erf, log, sqrt

SHORTEST_SECONDS = 0.25
BUCKETS_AN_OCTAVE = 4
BUCKETS = 76
#: Where each bucket ends, in seconds; the first begins at 0, and the last takes what is longer.
EDGES = tuple(SHORTEST_SECONDS * 2 ** (i / BUCKETS_AN_OCTAVE) for i in range(BUCKETS))
#: As many endings, about, are remembered: a change of pace is learned within as many jobs.
MEMORY = 200.0
#: A standard normal variable is below this in nine of ten cases.
NINE_IN_TEN = 1.2816
#: No spread of durations is believed to be narrower than this.
NARROWEST = 0.1


@dataclass(frozen=True, slots=True)
class Ending:
    """A task found ended, `upper` seconds old, that was seen running when `lower` seconds old."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """Weights by bucket. Equal only to itself, so that it is cheap to look things up by."""

    weights: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.weights)

    def with_endings(self, endings: Iterable[Ending]) -> "Sketch":
        """With these added, and as much of the old faded as is beyond `MEMORY`."""
        weights = list(self.weights)
        for ending in endings:
            for bucket, share in spread(ending):
                weights[bucket] += share
        fade = min(1.0, MEMORY / max(sum(weights), 1.0))
        return Sketch(tuple(weight * fade for weight in weights))

    def document(self) -> dict[str, float]:
        """As it is stored: the buckets that weigh anything."""
        return {str(i): round(w, 4) for i, w in enumerate(self.weights) if w >= 0.0001}


NOTHING_SEEN = Sketch((0.0,) * BUCKETS)


def sketch_of(document: Mapping[str, float]) -> Sketch:
    """Of a stored document. Buckets this version does not have are left out."""
    return Sketch(tuple(float(document.get(str(i), 0.0)) for i in range(BUCKETS)))


def spread(ending: Ending) -> list[tuple[int, float]]:
    """
    One ending over the buckets it may belong to. It came between two looks, nobody knows when; but
    hardly in the first half of a long silence, so a first look that comes too late is believed to
    be at most twice too late, and the next one comes sooner.
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


def usual(early: float, typical: float, late: float) -> tuple[float, ...]:
    """
    The share of each bucket where one task in ten has ended after `early` seconds, half after
    `typical` and nine in ten after `late`: two halves of log-normal curves.
    """

    def ended(age: float) -> float:
        distance = log(age / typical)
        far = log(typical / early) if distance < 0 else log(late / typical)
        return (1 + erf(distance / max(far / NINE_IN_TEN, NARROWEST) / sqrt(2))) / 2

    shares = [ended(edge) for edge in EDGES]
    return tuple(share - before for before, share in zip([0.0, *shares], shares, strict=False))
