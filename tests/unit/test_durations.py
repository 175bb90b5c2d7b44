"""What is kept of how long tasks took."""

import pytest

from generation.polling.duration_histogram import (
    BUCKETS,
    EDGES,
    EMPTY_HISTOGRAM,
    MEMORY,
    ObservedDuration,
    histogram_of,
    spread,
    usual_shares,
)


def median(weights: tuple[float, ...]) -> float:
    reached, half = 0.0, sum(weights) / 2
    for edge, weight in zip(EDGES, weights, strict=True):
        reached += weight
        if reached >= half:
            return edge
    raise AssertionError("no weight at all")


def test_an_ending_is_spread_over_the_time_nobody_looked() -> None:
    shares = spread(ObservedDuration(10, 20))
    assert sum(share for _, share in shares) == pytest.approx(1)
    assert EDGES[shares[0][0]] > 10
    assert EDGES[shares[-1][0] - 1] < 20
    assert len(shares) == 5


def test_a_long_silence_is_believed_for_its_second_half() -> None:
    shares = spread(ObservedDuration(0, 100))
    assert EDGES[shares[0][0]] > 50


@pytest.mark.parametrize(
    "ending",
    [
        ObservedDuration(0, 0),
        ObservedDuration(5, 5),
        ObservedDuration(9, 3),
        ObservedDuration(0, 1e9),
    ],
)
def test_no_ending_is_too_strange(ending: ObservedDuration) -> None:
    assert sum(share for _, share in spread(ending)) == pytest.approx(1)


def test_the_old_fades_and_a_change_of_pace_is_learned() -> None:
    sketch = EMPTY_HISTOGRAM.with_durations([ObservedDuration(58, 60)] * 5000)
    assert sketch.total == pytest.approx(MEMORY)
    for _ in range(20):
        sketch = sketch.with_durations([ObservedDuration(178, 180)] * 20)
    assert sketch.total == pytest.approx(MEMORY)
    assert 150 < median(sketch.weights) < 200


def test_an_outlier_is_one_among_many() -> None:
    sketch = EMPTY_HISTOGRAM.with_durations(
        [ObservedDuration(58, 60)] * 50 + [ObservedDuration(80_000, 90_000)]
    )
    assert 50 < median(sketch.weights) < 65


def test_a_sketch_comes_back_as_it_was_stored() -> None:
    sketch = EMPTY_HISTOGRAM.with_durations([ObservedDuration(3, 4), ObservedDuration(55, 62)])
    again = histogram_of(sketch.document())
    assert again.weights == pytest.approx(sketch.weights, abs=1e-4)
    assert histogram_of({"3": 1.0, "999": 5.0}).total == 1.0


def test_what_is_usual_has_the_quantiles_it_was_made_of() -> None:
    shares = usual_shares(30, 60, 120)
    assert len(shares) == BUCKETS
    assert sum(shares) == pytest.approx(1, abs=0.001)
    assert 55 < median(shares) < 72
    assert sum(share for share, edge in zip(shares, EDGES, strict=True) if edge <= 32) < 0.15
    assert sum(share for share, edge in zip(shares, EDGES, strict=True) if edge > 128) < 0.1
