"""How many looks may be on the wire, lane by lane."""

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from generation.job import JobState
from generation.settings import Settings
from generation.stations.binding import bind
from generation.stations.station import Dialect, Key, Station, Stations
from tests.unit.jobs import NOON, a_job
from worker.polling.limits import LookLimits, Request

MINUTE = timedelta(minutes=1)
MAIN = ("one", "main")


def stations(count: int = 1, keys: int = 1) -> Stations:
    return Stations(
        tuple(
            Station(
                name=name,
                url="http://127.0.0.1:9",
                speaks={"kling": Dialect(dialect="kling.relay")},
                keys=tuple(
                    Key(name=key, value=SecretStr("x")) for key in ("main", "second")[:keys]
                ),
            )
            for name in ("one", "two", "three", "four")[:count]
        )
    )


class Wire:
    """Lanes, and the requests they have sent."""

    def __init__(self, known: Stations | None = None, **settings: Any) -> None:
        self.known = known or stations()
        limits: dict[str, Any] = {"_env_file": None, "looks_in_flight": 40}
        limits |= {"looks_per_station": 30, "looks_per_key": 10, **settings}
        self.lanes = LookLimits(Settings(**limits), self.known, self._send)
        self.sent: list[Request] = []

    def _send(self, station_key: tuple[str, str], request: Request) -> None:
        self.sent.append(request)

    def start(self, count: int, station_key: tuple[str, str] = MAIN, size: int = 1) -> None:
        job = a_job(JobState.RUNNING, station=station_key[0], key=station_key[1])
        request = [(job, bind(self.known, job))] * size
        self.lanes.start(station_key, [request] * count, NOON)

    def more_rooms(self) -> dict[tuple[str, str], int]:
        return self.lanes.more_rooms(NOON, lambda _: 1000)

    def rooms(self, most: int = 1000) -> dict[tuple[str, str], int]:
        return self.lanes.rooms(NOON, lambda _: most)


def test_a_lane_sends_as_much_as_it_may_and_the_rest_as_places_come_free() -> None:
    wire = Wire()
    assert wire.rooms() == {MAIN: 10}
    wire.start(12)
    assert len(wire.sent) == 10
    assert wire.rooms() == {}, "it has more than enough"
    for _ in range(3):
        wire.lanes.ended(MAIN)
    assert len(wire.sent) == 12
    assert wire.rooms() == {MAIN: 1}


def test_where_more_is_due_some_stand_ready_and_claims_are_worth_their_while() -> None:
    wire = Wire()
    assert not wire.lanes.have_more
    wire.lanes.claimed(wire.rooms(), {MAIN: 10})
    wire.start(10)
    assert wire.lanes.have_more
    assert wire.more_rooms() == {MAIN: 5}, "half as many again, though no place is free"
    wire.lanes.claimed({MAIN: 5}, {MAIN: 5})
    wire.start(5)
    assert len(wire.sent) == 10
    for count in range(4):
        wire.lanes.ended(MAIN)
        assert len(wire.sent) == 11 + count, "what stands ready goes out at once"
    assert wire.rooms() == {MAIN: 4}
    assert wire.more_rooms() == {}, "too few to be worth a claim of their own"
    wire.lanes.ended(MAIN)
    assert wire.more_rooms() == {MAIN: 5}
    wire.lanes.claimed({MAIN: 5}, {MAIN: 4})
    assert not wire.lanes.have_more
    assert wire.more_rooms() == {}


def test_jobs_that_share_a_query_share_a_place() -> None:
    wire = Wire(looks_per_key=200, looks_per_station=200, looks_in_flight=500)
    wire.start(2, size=50)
    assert wire.rooms()[MAIN] == 1000, "a claim has a limit of its own"
    wire = Wire(looks_per_key=5)
    wire.start(2, size=50)
    assert wire.rooms()[MAIN] == 150


def test_keys_share_a_station() -> None:
    wire = Wire(stations(keys=2), looks_per_key=20)
    assert sum(wire.rooms().values()) == 30
    wire.start(20)
    assert wire.rooms() == {("one", "second"): 10}


def test_stations_that_hang_leave_the_next_its_share() -> None:
    wire = Wire(stations(4), looks_per_key=30)
    for name in ("one", "two", "three"):
        wire.start(30, (name, "main"))
    assert wire.rooms() == {("four", "main"): 5}, "an eighth of all, whatever the others do"


def test_a_breaker_has_the_last_word() -> None:
    wire = Wire()
    assert wire.rooms(most=0) == {}
    assert wire.rooms(most=5) == {MAIN: 5}
    wire.start(3)
    assert wire.rooms(most=5) == {MAIN: 2}


def test_too_fast_means_a_pause_and_half_as_much_after_it() -> None:
    wire = Wire()
    wire.start(14)
    lapsed = wire.lanes.pause(MAIN, NOON + MINUTE)
    assert len(lapsed) == 4
    assert wire.rooms() == {}
    assert wire.lanes.open(NOON) == set()
    assert not wire.lanes.start(MAIN, wire.sent[:1], NOON)
    for _ in range(10):
        wire.lanes.ended(MAIN)
    assert len(wire.sent) == 10, "nothing is sent in the pause"
    after = NOON + MINUTE
    assert wire.lanes.rooms(after, lambda _: 1000) == {MAIN: 5}
    assert wire.lanes.open(after) == {MAIN}
    for _ in range(1000):
        wire.lanes.answered(MAIN)
    assert wire.lanes.rooms(after, lambda _: 1000) == {MAIN: 10}, "patience is rewarded"


def test_a_pause_another_worker_was_told_of_is_kept_here_too() -> None:
    wire = Wire()
    wire.start(14)
    assert len(wire.lanes.join_pause(MAIN, NOON + MINUTE, NOON)) == 4
    for tick in range(30):  # it is read again with every tick
        now = NOON + tick * timedelta(seconds=2)
        wire.lanes.join_pause(MAIN, NOON + MINUTE, now)
    later = NOON + 2 * MINUTE
    wire.lanes.join_pause(MAIN, later, NOON + MINUTE / 2)
    for _ in range(10):
        wire.lanes.ended(MAIN)
    assert wire.lanes.rooms(NOON + MINUTE, lambda _: 1000) == {}, "it lasts longer"
    assert wire.lanes.rooms(later, lambda _: 1000) == {MAIN: 5}, "and halves the lane once"


def test_one_wave_of_refusals_counts_once() -> None:
    wire = Wire()
    for late in range(10):
        wire.lanes.pause(MAIN, NOON + MINUTE + timedelta(milliseconds=late))
    assert wire.lanes.rooms(NOON + 2 * MINUTE, lambda _: 1000) == {MAIN: 5}
    for _ in range(10):
        wire.lanes.pause(MAIN, NOON + 3 * MINUTE)
        wire.lanes.pause(MAIN, NOON + 5 * MINUTE)
    assert wire.lanes.rooms(NOON + 9 * MINUTE, lambda _: 1000) == {MAIN: 1}, "never less than one"
