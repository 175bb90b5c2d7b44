"""One run: start a genq, give it work, break it, wait until it is quiet, check it."""

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

from generation.counters import SUBMITS, SUBMITTED
from generation.events import ENDINGS
from ops.faults.field import Field
from ops.faults.orders import Caller
from ops.faults.points import POINTS, plan
from ops.faults.stage import Options, Stage, staged
from ops.faults.verdict import (
    RECOVERY_IN_TROUBLE_SECONDS,
    RECOVERY_SECONDS,
    Invariant,
    every_ending_is_told,
    every_job_is_explained,
    no_place_is_lost,
    no_result_is_given_up,
    nobody_died_by_himself,
    nothing_is_paid_twice,
    recovery_is_quick,
    the_figures_agree,
)
from ops.sandbox.dialect import Refusal
from ops.sandbox.tasks import Phase

#: So often nothing else is broken until what a kill left standing moves again.
LEFT_ALONE = 0.4
#: The station shows so many of its tasks; more than any run has.
MOST_TASKS = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    invariants: list[Invariant]
    #: How often each point was struck, and how often it hit.
    struck: Counter[int]
    hit: Counter[int]
    #: What it took: violence and peace, in seconds.
    seconds: tuple[float, float]
    refused: int
    last_words: str

    @property
    def holds(self) -> bool:
        return not any(each.broken for each in self.invariants)


def run(options: Options) -> Outcome:
    """Do it all. Whatever was started has ended when this returns or raises."""
    with ExitStack() as stack:
        stage = stack.enter_context(staged(options))
        field, caller = stage.field, stage.caller
        began = time.monotonic()
        struck, hit = violence(options, field, caller)
        quiet = time.monotonic()
        peace(options, field)
        ended = time.monotonic()
        return Outcome(
            judged(stage),
            struck,
            hit,
            (quiet - began, ended - quiet),
            caller.refused,
            field.house.last_words(),
        )


def violence(options: Options, field: Field, caller: Caller) -> tuple[Counter[int], Counter[int]]:
    """Strike after strike, until every order is accepted."""
    strikes = plan(options.seed, options.store, options.only)
    struck: Counter[int] = Counter()
    hit: Counter[int] = Counter()
    until = time.monotonic() + options.violence_seconds
    caller.start()
    while not caller.is_done and time.monotonic() < until:
        point, jitter = strikes.next()
        struck[point.number] += 1
        began = time.monotonic()
        field.recoveries.disturb()
        did = point.strike(field, jitter)
        hit[point.number] += did
        print(
            f"{len(caller.accepted):6d} accepted, point {point.number:2d} ({point.title}):"
            f" {'hit' if did else 'nobody came'}, {time.monotonic() - began:.1f} s",
            flush=True,
        )
        time.sleep(jitter.uniform(0, field.seconds(2)))
        if jitter.random() < LEFT_ALONE:
            field.wait_for_recovery()
    caller.stop()
    return struck, hit


def peace(options: Options, field: Field) -> None:
    """Wait until all is done, or nothing more is to be expected."""
    field.collect()
    until = time.monotonic() + options.peace_seconds
    while time.monotonic() < until:
        if field.books.unfinished() == 0 and not field.recoveries.pending:
            return
        time.sleep(0.5)


def judged(stage: Stage) -> list[Invariant]:
    field = stage.field
    rows = field.books.all()
    told = field.books.told(ENDINGS)
    kills = field.recoveries.kills
    stats = stage.sandbox.stats()
    paid = {name: int(n) for name, n in stats["paid_by_reference"].items()}
    turned_away = int(stats["refused_by_reason"].get(Refusal.DUPLICATE, 0))
    tasks = stage.sandbox.tasks(limit=MOST_TASKS)
    finished = {str(task["reference"]) for task in tasks if task["phase"] == Phase.SUCCEEDED}
    return [
        every_job_is_explained(rows, stage.caller.accepted),
        nothing_is_paid_twice(paid, turned_away, rows),
        no_result_is_given_up(rows, finished),
        every_ending_is_told(rows, told, stage.receiver.received),
        recovery_is_quick(kills, RECOVERY_SECONDS, disturbed=False),
        recovery_is_quick(kills, RECOVERY_IN_TROUBLE_SECONDS, disturbed=True),
        no_place_is_lost(*field.books.places("sandbox", "main")),
        the_figures_agree(
            field.books.tally(SUBMITS), field.books.tally(SUBMITTED), sum(paid.values())
        ),
        nobody_died_by_himself(field.house.deaths()),
    ]


def coverage(outcome: Outcome, store: str) -> str:
    """How often each point was hit, in Markdown."""
    lines = ["| point | struck | hit |", "|---|---|---|"]
    for point in POINTS:
        if store in point.stores:
            n = point.number
            lines.append(f"| {n} {point.title} | {outcome.struck[n]} | {outcome.hit[n]} |")
    return "\n".join(lines)
