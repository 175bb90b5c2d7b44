"""
How many looks may be on the wire: for each key of each station, for each station, and in all.

A lane is one key of one station. It asks for no more jobs than it can look at, so what is due in a
lane that is full, too fast or down stays in the database, in line and in nobody's way. Half of this
process's capacity is set aside for the stations in equal shares: however many of them hang, the
next one still finds its share.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from generation.job import Job
from generation.settings import Settings
from generation.stations.binding import Binding
from generation.stations.station import Stations
from generation.store import Lane

#: One request, and the jobs it is about: one, or those that share a batch query.
Request = Sequence[tuple[Job, Binding]]
#: Of one lane, no more jobs than this are claimed in one go.
CLAIM_LIMIT = 1000
#: What a lane wins back of its places with each answer, once it has been called too fast.
RECOVERY = 0.1
#: Where more is due than a lane has places for, this share of its places stands ready besides, so
#: that none stays free while the next claim is made.
AHEAD = 0.5
#: More is claimed for a lane between two ticks only once this share of its places is free: a claim
#: costs the less a job, the more it takes.
WORTH_A_CLAIM = 0.5


@dataclass(slots=True)
class LaneState:
    """One lane in this process."""

    #: How many requests it may have on the wire now.
    allowed: float
    on_wire: int = 0
    waiting: deque[Request] = field(default_factory=deque[Request])
    paused_until: datetime | None = None
    #: How many jobs one request was about when any were last started.
    jobs_a_request: float = 1.0
    #: The last claim took all it had room for, so more may be due.
    has_more: bool = False


class Lanes:
    """All lanes of this process. `send` starts a request and returns at once."""

    def __init__(
        self, settings: Settings, stations: Stations, send: Callable[[Lane, Request], None]
    ) -> None:
        self._settings = settings
        self._send = send
        self._share = settings.looks_in_flight // 2 // max(1, len(stations))
        self._lanes = {
            (station.name, key.name): LaneState(settings.looks_per_key)
            for station in stations
            for key in station.keys
        }

    def open(self, now: datetime) -> set[Lane]:
        """The lanes that are looked at now, full or not."""
        return {lane for lane, state in self._lanes.items() if not is_paused(state, now)}

    def knows(self, lane: Lane) -> bool:
        """Whether the settings have this lane."""
        return lane in self._lanes

    def rooms(self, now: datetime, most: Callable[[str], int]) -> dict[Lane, int]:
        """
        How many jobs each lane could look at now. `most` says how many requests a station may have
        on the wire at all. A lane that may not be looked at is absent.
        """
        busy: Counter[str] = Counter()
        for (station, _), lane in self._lanes.items():
            busy[station] += lane.on_wire + len(lane.waiting)
        spare = self._settings.looks_in_flight
        spare -= sum(max(count, self._share) for count in busy.values())
        rooms: dict[Lane, int] = {}
        for (station, key), lane in self._lanes.items():
            if is_paused(lane, now):
                continue
            own = max(0, self._share - busy[station])
            cap = min(self._settings.looks_per_station, most(station)) - busy[station]
            ahead = int(lane.allowed * AHEAD) if lane.has_more else 0
            free = int(lane.allowed) + ahead - lane.on_wire - len(lane.waiting)
            requests = min(own + max(0, spare), cap, free)
            if requests > 0:
                busy[station] += requests
                spare -= max(0, requests - own)
                rooms[station, key] = min(int(requests * lane.jobs_a_request), CLAIM_LIMIT)
        return rooms

    def claimed(self, rooms: Mapping[Lane, int], taken: Mapping[Lane, int]) -> None:
        """What a claim for these rooms found in each lane."""
        for lane, room in rooms.items():
            self._lanes[lane].has_more = taken.get(lane, 0) >= room

    @property
    def have_more(self) -> bool:
        """Whether more may be due in any lane than it had room for."""
        return any(lane.has_more for lane in self._lanes.values())

    def more_rooms(self, now: datetime, most: Callable[[str], int]) -> dict[Lane, int]:
        """Of `rooms`, those in which more may be due and that are worth a claim of their own."""
        return {
            lane: room
            for lane, room in self.rooms(now, most).items()
            if (state := self._lanes[lane]).has_more and room >= int(state.allowed) * WORTH_A_CLAIM
        }

    def start(self, lane: Lane, requests: Sequence[Request], now: datetime) -> bool:
        """Send these as soon as the lane has places for them. False where it is paused."""
        state = self._lanes[lane]
        if is_paused(state, now):
            return False
        state.jobs_a_request = sum(len(request) for request in requests) / len(requests)
        state.waiting.extend(requests)
        self._go_on(lane, state)
        return True

    def ended(self, lane: Lane) -> None:
        """A request of this lane is no longer on the wire."""
        state = self._lanes[lane]
        state.on_wire -= 1
        self._go_on(lane, state)

    def answered(self, lane: Lane) -> None:
        """The upstream took a request of this lane: it may have a little more of them."""
        state = self._lanes[lane]
        state.allowed = min(self._settings.looks_per_key, state.allowed + RECOVERY)

    def pause(self, lane: Lane, until: datetime) -> Sequence[Request]:
        """
        Send nothing more of this lane before then, and half as much at once after it. Returns the
        requests that had no place yet, and now lapse: their jobs' next looks come by themselves.
        """
        state = self._lanes[lane]
        if state.paused_until is None or until - state.paused_until > timedelta(seconds=1):
            state.allowed = max(1.0, state.allowed / 2)
        state.paused_until = until
        lapsed = list(state.waiting)
        state.waiting.clear()
        return lapsed

    def join_pause(self, lane: Lane, until: datetime, now: datetime) -> Sequence[Request]:
        """
        Another worker was told that looks with this key are too fast. As `pause`; where this one
        pauses already, it only lasts longer.
        """
        state = self._lanes[lane]
        if state.paused_until is not None and now < state.paused_until:
            state.paused_until = max(state.paused_until, until)
            return ()
        return self.pause(lane, until)

    def _go_on(self, lane: Lane, state: LaneState) -> None:
        while state.waiting and state.on_wire < int(state.allowed):
            state.on_wire += 1
            self._send(lane, state.waiting.popleft())


def is_paused(state: LaneState, now: datetime) -> bool:
    return state.paused_until is not None and now < state.paused_until
