"""How many submits of one process each station may occupy."""

from worker.submitting.places import SubmitLimits


def test_a_station_never_takes_the_share_of_the_others() -> None:
    places = SubmitLimits(16, stations=2)
    for number in range(12):
        assert places.free("a") == 12 - number
        places.take(f"a{number}", "a")
    assert (places.free("a"), places.free("b")) == (0, 12)


def test_the_only_station_has_all_places() -> None:
    assert SubmitLimits(16, stations=1).free("a") == 16


def test_there_is_always_one_place() -> None:
    assert SubmitLimits(1, stations=40).free("a") == 1
    assert SubmitLimits(4, stations=0).free("a") >= 1


def test_a_job_has_one_place_and_gives_it_back_once() -> None:
    places = SubmitLimits(4, stations=1)
    places.take("job", "a")
    places.take("job", "b")
    assert (places.free("a"), places.free("b")) == (4, 3)
    places.leave("job")
    places.leave("job")
    assert places.free("b") == 4
