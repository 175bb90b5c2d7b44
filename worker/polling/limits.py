"""Limits of concurrent looks: per key of a station, per station, and in all.

Each key claims no more jobs than it has free looks, so due jobs of a key that is busy, paused or
down stay in the database and block no others. Half of this process's looks are reserved for the
stations in equal shares: however many of them hang, each of the others still has its share.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from generation.job import Job
from generation.settings import Settings
from generation.stations.binding import Binding
from generation.stations.station import Stations
from generation.store import StationKey

#: One request, and the jobs it is about: one, or those that share a batch query.
Request = Sequence[tuple[Job, Binding]]
#: The most jobs of one key that are claimed at once.
CLAIM_LIMIT = 1000
#: The share of its limit that a rate limited key regains with each answer.
RECOVERY = 0.1
#: If more is due than a key has free looks for, this share of its limit is claimed in addition, so
#: that no look stays free while the next claim is made.
AHEAD = 0.5
#: Between two ticks a key claims more only once this share of its limit is free, because a larger
#: claim costs less per job.
WORTH_A_CLAIM = 0.5


@dataclass(slots=True)
class KeyLooks:
    """The looks of one key in this process."""

    #: How many requests it may have open now.
    allowed: float
    on_wire: int = 0
    waiting: deque[Request] = field(default_factory=deque[Request])
    paused_until: datetime | None = None
    #: The number of jobs per request when requests were last started.
    jobs_a_request: float = 1.0
    #: The last claim used all free looks, so more may be due.
    has_more: bool = False


class LookLimits:
    """The limits of all keys in this process. `send` starts a request and returns at once."""

    def __init__(
        self, settings: Settings, stations: Stations, send: Callable[[StationKey, Request], None]
    ) -> None:
        self._settings = settings
        self._send = send
        self._share = settings.looks_in_flight // 2 // max(1, len(stations))
        self._limits = {
            (station.name, key.name): KeyLooks(settings.looks_per_key)
            for station in stations
            for key in station.keys
        }

    def open(self, now: datetime) -> set[StationKey]:
        """The keys that are looked at now, whether or not they have free looks."""
        return {
            station_key for station_key, state in self._limits.items() if not is_paused(state, now)
        }

    def knows(self, station_key: StationKey) -> bool:
        """Return whether the settings have this key."""
        return station_key in self._limits

    def rooms(self, now: datetime, most: Callable[[str], int]) -> dict[StationKey, int]:
        """Return how many jobs of each key could be looked at now.

        `most` gives how many requests a station may have open. A key that must not be looked at is
        absent.
        """
        busy: Counter[str] = Counter()
        for (station, _), station_key in self._limits.items():
            busy[station] += station_key.on_wire + len(station_key.waiting)
        spare = self._settings.looks_in_flight
        spare -= sum(max(count, self._share) for count in busy.values())
        rooms: dict[StationKey, int] = {}
        for (station, key), station_key in self._limits.items():
            if is_paused(station_key, now):
                continue
            own = max(0, self._share - busy[station])
            cap = min(self._settings.looks_per_station, most(station)) - busy[station]
            ahead = int(station_key.allowed * AHEAD) if station_key.has_more else 0
            free = int(station_key.allowed) + ahead - station_key.on_wire - len(station_key.waiting)
            requests = min(own + max(0, spare), cap, free)
            if requests > 0:
                busy[station] += requests
                spare -= max(0, requests - own)
                rooms[station, key] = min(int(requests * station_key.jobs_a_request), CLAIM_LIMIT)
        return rooms

    def claimed(self, rooms: Mapping[StationKey, int], taken: Mapping[StationKey, int]) -> None:
        """Record what a claim found for each key."""
        for station_key, free in rooms.items():
            self._limits[station_key].has_more = taken.get(station_key, 0) >= free

    @property
    def have_more(self) -> bool:
        """Return whether more may be due for any key than it had free looks for."""
        return any(station_key.has_more for station_key in self._limits.values())

    def more_rooms(self, now: datetime, most: Callable[[str], int]) -> dict[StationKey, int]:
        """Return those of `rooms` for which more may be due and a claim is worthwhile."""
        return {
            station_key: free
            for station_key, free in self.rooms(now, most).items()
            if (state := self._limits[station_key]).has_more
            and free >= int(state.allowed) * WORTH_A_CLAIM
        }

    def start(self, station_key: StationKey, requests: Sequence[Request], now: datetime) -> bool:
        """Send these requests as soon as the key has free looks. Returns False if it is paused."""
        state = self._limits[station_key]
        if is_paused(state, now):
            return False
        state.jobs_a_request = sum(len(request) for request in requests) / len(requests)
        state.waiting.extend(requests)
        self._go_on(station_key, state)
        return True

    def ended(self, station_key: StationKey) -> None:
        """A request of this key has ended."""
        state = self._limits[station_key]
        state.on_wire -= 1
        self._go_on(station_key, state)

    def answered(self, station_key: StationKey) -> None:
        """The upstream accepted a request of this key: its limit rises a little."""
        state = self._limits[station_key]
        state.allowed = min(self._settings.looks_per_key, state.allowed + RECOVERY)

    def pause(self, station_key: StationKey, until: datetime) -> Sequence[Request]:
        """Send nothing more for this key before then, and half as many requests at once after it.

        Returns the requests that were not sent yet and are dropped: the next looks of their jobs
        come by themselves.
        """
        state = self._limits[station_key]
        if state.paused_until is None or until - state.paused_until > timedelta(seconds=1):
            state.allowed = max(1.0, state.allowed / 2)
        state.paused_until = until
        lapsed = list(state.waiting)
        state.waiting.clear()
        return lapsed

    def join_pause(
        self, station_key: StationKey, until: datetime, now: datetime
    ) -> Sequence[Request]:
        """Another worker was told that looks with this key are too fast.

        Like `pause`; a pause in effect here is only extended.
        """
        state = self._limits[station_key]
        if state.paused_until is not None and now < state.paused_until:
            state.paused_until = max(state.paused_until, until)
            return ()
        return self.pause(station_key, until)

    def _go_on(self, station_key: StationKey, state: KeyLooks) -> None:
        while state.waiting and state.on_wire < int(state.allowed):
            state.on_wire += 1
            self._send(station_key, state.waiting.popleft())


def is_paused(state: KeyLooks, now: datetime) -> bool:
    return state.paused_until is not None and now < state.paused_until
