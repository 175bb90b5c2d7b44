"""The points at which genq is broken, and how.

A strike blocks until it has hit, or until nobody came past in time; what it broke is whole again
when it returns, except for processes, which the house starts again. It answers whether it hit.
"""

import signal
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from ops.faults.answers import absurd_pause, ambiguous, other_clock
from ops.faults.broker_errors import answer_with_error
from ops.faults.field import Field
from ops.faults.proxy import Harm, Proxy
from ops.stack.broker import client

Strike = Callable[[Field, Random], bool]

SUBMIT_PATHS = (b"/mj/submit/", b"/kling/v1/videos/text2video HTTP")
LOOKED = ("asset known, not saved", "assets known, not saved")
WORKER_TRAPS = (
    "claimed, not sent",
    "answered, not saved",
    "about to look",
    "about to look at many",
    *LOOKED,
    "ended, not told",
    "about to tell",
    "told, not saved",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One way to break genq. `stores` are those it can be broken on."""

    number: int
    title: str
    strike: Strike
    stores: Sequence[str] = ("postgresql", "sqlite")


def is_submit(chunk: bytes) -> bool:
    return chunk.startswith(b"POST ") and any(path in chunk[:200] for path in SUBMIT_PATHS)


def is_kling_submit(chunk: bytes) -> bool:
    """Kling has the most ways to refuse an order."""
    return is_submit(chunk) and b"/kling/" in chunk[:200]


def is_look(chunk: bytes) -> bool:
    return not is_submit(chunk) and chunk.startswith((b"GET ", b"POST "))


def is_delivery(chunk: bytes) -> bool:
    return chunk.startswith(b"POST ")


def is_commit(chunk: bytes) -> bool:
    return b"COMMIT" in chunk


def killed_at(*traps: str) -> Strike:
    """A process kills itself at one of these places."""

    def strike(field: Field, jitter: Random) -> bool:
        return field.spring(jitter.choice(traps), "kill")

    return strike


def broker_is_down(field: Field, jitter: Random) -> bool:
    field.broker.kill()
    time.sleep(jitter.uniform(0.5, field.seconds(4)))
    field.broker.start()
    return True


def submit_answer_is_lost(field: Field, jitter: Random) -> bool:
    """The connection breaks; or every worker is killed while the station still thinks."""
    if jitter.random() < 0.5:
        return field.harm(field.lines.station, is_submit, Harm.LOSE_ANSWER)
    late = field.seconds(4)
    tamper = field.lines.station.tamper(is_submit, Harm.DELAY_ANSWER, late)
    hit = field.wait(lambda: not tamper.is_waiting)
    field.lines.station.forget(tamper)
    if hit:
        field.kill_workers("request sent, answer lost")
    return hit


def webhook_answer_is_lost(field: Field, jitter: Random) -> bool:
    if jitter.random() < 0.5:
        return field.harm(field.lines.receiver, is_delivery, Harm.LOSE_ANSWER)
    return field.spring("told, not saved", "kill")


def broker_forgets(field: Field, jitter: Random) -> bool:
    if jitter.random() < 0.5:
        field.broker.kill()
        field.broker.start()
    field.broker.flushall()
    return True


def two_tick_at_once(field: Field, jitter: Random) -> bool:
    """A worker is frozen for longer than its leases; its successor and it then go on together."""
    with field.frozen(jitter.choice(field.house.workers)):
        time.sleep(jitter.uniform(1, field.seconds(25)))
    return True


def clock_is_set(field: Field, jitter: Random) -> bool:
    """The workers' clock is an hour off for a while, and then right again."""
    field.house.set_clock(jitter.choice((-3600, 3600)))
    time.sleep(jitter.uniform(1, 1 + field.seconds(6)))
    field.house.set_clock(0)
    time.sleep(1)
    return True


def told_to_stop(field: Field, jitter: Random) -> bool:
    """SIGTERM in the middle of a step, or while an answer is waited for."""
    place = jitter.randrange(len(WORKER_TRAPS) + 2)
    if place < len(WORKER_TRAPS):
        return field.spring(WORKER_TRAPS[place], "term")
    line, matches = (field.lines.station, is_submit)
    if place == len(WORKER_TRAPS):
        line, matches = (field.lines.receiver, is_delivery)
    tamper = line.tamper(matches, Harm.DELAY_ANSWER, field.seconds(3))
    hit = field.wait(lambda: not tamper.is_waiting)
    line.forget(tamper)
    for worker in field.house.workers:
        field.house.signal(worker, signal.SIGTERM)
    return hit


def database_breaks(field: Field, jitter: Random) -> bool:
    """A restart, a kill, every connection cut, or one cut in a transaction."""
    line = field.database_line
    match jitter.randrange(6):
        case 0:
            field.cluster.restart()
        case 1:
            field.cluster.kill()
            time.sleep(jitter.uniform(0, field.seconds(4)))
            field.cluster.start()
        case 2:
            line.cut()
        case 3:
            return field.harm(line, is_commit, Harm.LOSE_ANSWER)
        case 4:
            return field.harm(line, is_commit, Harm.LOSE_REQUEST)
        case _:
            countdown = jitter.randrange(1, 40)
            return field.harm(line, nth(countdown), jitter.choice(CUTS))
    return True


CUTS = (Harm.LOSE_ANSWER, Harm.LOSE_REQUEST)


def nth(count: int) -> Callable[[bytes], bool]:
    """Whatever is said, when it has been said so often: any statement of any transaction."""
    seen = iter(range(count))

    def matches(_: bytes) -> bool:
        return next(seen, None) is None

    return matches


def station_is_ill(field: Field, jitter: Random) -> bool:
    """Slow, garbage, or closing half-way, to a submit or to a look."""
    matches = jitter.choice((is_submit, is_look))
    line = field.lines.station
    match jitter.randrange(4):
        case 0:
            return field.harm(line, matches, Harm.REPLACE_ANSWER)
        case 1:
            return field.harm(line, matches, Harm.HALVE_ANSWER)
        case 2:
            tamper = line.tamper(matches, Harm.DELAY_ANSWER, jitter.uniform(5, field.seconds(200)))
            hit = field.wait(lambda: not tamper.is_waiting)
            line.forget(tamper)
            return hit
        case _:
            return held(line, jitter.uniform(1, field.seconds(20)))


def held(line: Proxy, seconds: float) -> bool:
    line.hold()
    time.sleep(seconds)
    line.release()
    return True


def disk_is_full(field: Field, jitter: Random) -> bool:
    return field.fill_disk(jitter.uniform(1, field.seconds(5)))


def clock_lies(field: Field, jitter: Random) -> bool:
    """The station's clock is hours off while the answer to a submit is lost."""
    line = field.lines.station
    line.rewrite = other_clock(timedelta(hours=jitter.choice((-2, 2, 26))))
    try:
        hit = field.harm(line, is_submit, Harm.LOSE_ANSWER)
        time.sleep(jitter.uniform(1, field.seconds(15)))
    finally:
        line.rewrite = None
    return hit


def look_is_to_wait(field: Field, jitter: Random) -> bool:
    return field.harm(field.lines.station, is_look, Harm.REPLACE_ANSWER, absurd_pause(jitter))


def submit_is_ambiguous(field: Field, jitter: Random) -> bool:
    """The station has taken the order, and answers with a 5xx that speaks of its own trouble."""
    matches = jitter.choice((is_submit, is_kling_submit))
    return field.harm(field.lines.station, matches, Harm.REPLACE_ANSWER, ambiguous(jitter))


def broker_answers_with_errors(field: Field, jitter: Random) -> bool:
    seconds = jitter.uniform(1, 1 + field.seconds(10))
    with client(field.broker.url) as broker:
        answer_with_error(broker, field.house.folder / "broker", jitter, seconds)
    return True


POINTS = (
    Point(1, "order read, not committed", killed_at("order read, not written")),
    Point(2, "committed, not nudged", killed_at("committed, not nudged")),
    Point(3, "broker down", broker_is_down),
    Point(4, "claimed, not sent", killed_at("claimed, not sent")),
    Point(5, "request sent, answer lost", submit_answer_is_lost),
    Point(6, "answered, not committed", killed_at("answered, not saved")),
    Point(7, "in mid-look", killed_at("about to look", "about to look at many")),
    Point(
        8, "asset known, not stored", killed_at("asset known, not saved", "assets known, not saved")
    ),
    Point(9, "ended, not told", killed_at("ended, not told", "about to tell")),
    Point(10, "webhook sent, answer lost", webhook_answer_is_lost),
    Point(11, "broker restarted and emptied", broker_forgets),
    Point(12, "two tickers and sweepers", two_tick_at_once),
    Point(13, "clock set by an hour", clock_is_set),
    Point(14, "SIGTERM in mid-step", told_to_stop),
    Point(15, "database restarted, cut", database_breaks, ("postgresql",)),
    Point(16, "station slow, garbage, half", station_is_ill),
    Point(17, "disk full", disk_is_full, ("sqlite",)),
    Point(18, "station's clock is wrong", clock_lies),
    Point(19, "absurd Retry-After to a look", look_is_to_wait),
    Point(20, "ambiguous 5xx to a submit", submit_is_ambiguous),
    Point(21, "broker answers with errors", broker_answers_with_errors),
)


def plan(seed: int, store: str, only: Collection[int] = ()) -> "Plan":
    """Yield the faults of this seed, without end.

    Each round has all points, or those with these numbers, shuffled.
    """
    points = [point for point in POINTS if store in point.stores]
    return Plan(Random(seed), [p for p in points if not only or p.number in only])


class Plan:
    """An endless iterator over (point, dice)."""

    def __init__(self, jitter: Random, points: Sequence[Point]) -> None:
        self._dice = jitter
        self._points = points
        self._round: list[Point] = []

    def next(self) -> tuple[Point, Random]:
        """The next point, with dice of its own: what happens in between does not change them."""
        if not self._round:
            self._round = self._dice.sample(self._points, len(self._points))
        return self._round.pop(), Random(self._dice.getrandbits(64))
