"""What genq has promised, counted when all is over."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from generation.events import ENDINGS
from ops.faults.books import TERMINAL_STATES, Row, Told
from ops.faults.recovery import Kill
from tests.deployment.receiver import Received

SHORTLY = timedelta(minutes=1)
#: Of the tasks that finished upstream.
GIVEN_UP_SHARE = 0.05
RECOVERY_SECONDS = 30
#: Where a second outage meets the first recovery.
RECOVERY_IN_TROUBLE_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise, what was counted, and who broke it."""

    promise: str
    counted: str
    broken: Sequence[str]


def every_job_is_explained(rows: Sequence[Row], accepted: Sequence[str]) -> Invariant:
    """Check that no accepted job is missing, and that unfinished ones have a reason."""
    soon = datetime.now(UTC) + SHORTLY
    known = {row.id: row for row in rows}
    missing = [f"{job_id} was accepted and is gone" for job_id in accepted if job_id not in known]
    silent = [
        f"{row.id} is {row.state}, does not say why, and sleeps until {row.wake_at}"
        for row in rows
        if row.state not in TERMINAL_STATES
        and not row.reason
        and (row.wake_at is None or row.wake_at > soon)
    ]
    states = Counter(row.state for row in rows)
    counted = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return Invariant("every accepted job has ended, or says why not", counted, missing + silent)


def nothing_is_paid_twice(
    paid: Mapping[str, int], turned_away: int, rows: Sequence[Row]
) -> Invariant:
    """The station's ledger, by the jobs' own ids.

    Kling turns a second submit of one id away: that genq sent it counts all the same.
    """
    again = [f"{job_id} was paid {count} times" for job_id, count in paid.items() if count > 1]
    again += [f"{turned_away} submits were sent twice, and turned away"] if turned_away else []
    known = {row.id for row in rows}
    unknown = [f"{job_id} was paid and is unknown" for job_id in paid if job_id not in known]
    bought = sum(paid.values())
    ratio = bought / len(paid) if paid else 0
    counted = f"{bought} paid submits for {len(paid)} jobs: {ratio:.3f}"
    return Invariant("no job is paid twice", counted, again + unknown)


def no_result_is_given_up(rows: Sequence[Row], finished: Collection[str]) -> Invariant:
    """A job whose task is known and has finished upstream does not expire.

    Of a few, the last look before the deadline may fail; more than that means that looks stand
    still.
    """
    lost = [
        f"{row.id} expired, and its task {row.upstream_id} has finished"
        for row in rows
        if row.state == "expired" and row.upstream_id is not None and row.id in finished
    ]
    counted = f"{len(lost)} of {len(finished)} finished tasks were given up"
    allowed = len(lost) <= GIVEN_UP_SHARE * len(finished)
    promise = f"at most {GIVEN_UP_SHARE:.0%} of the finished tasks are given up"
    return Invariant(promise, counted, [] if allowed else lost)


def every_ending_is_told(
    rows: Sequence[Row], told: Sequence[Told], received: Sequence[Received]
) -> Invariant:
    """Each terminal event arrived, and always under one id and with one body."""
    arrived: dict[str, set[bytes]] = {}
    for each in received:
        arrived.setdefault(each.id, set()).add(each.body)
    broken = [
        f"{e.event_id} ({e.type} of {e.job_id}) never arrived"
        for e in told
        if e.event_id not in arrived and not e.under_way
    ]
    broken += [
        f"{event_id} arrived with several bodies" for event_id, b in arrived.items() if len(b) > 1
    ]
    kinds = Counter((event.job_id, event.type) for event in told)
    broken += [
        f"{job_id} was told {kind} as {n} events" for (job_id, kind), n in kinds.items() if n > 1
    ]
    ended = {event.job_id for event in told if event.type in ENDINGS}
    broken += [
        f"{row.id} ended and nobody was to be told"
        for row in rows
        if row.state in TERMINAL_STATES and row.id not in ended
    ]
    under_way = sum(e.under_way and e.event_id not in arrived for e in told)
    counted = f"{len(told)} events, {len(received)} requests"
    counted += f", {under_way} still under way" if under_way else ""
    return Invariant("every ending is told, under one id", counted, broken)


def recovery_is_quick(kills: Sequence[Kill], limit: float, *, disturbed: bool) -> Invariant:
    """Of kills after which nothing else was broken for as long; or of all the others."""
    counting = [kill for kill in kills if kill.disturbed is disturbed]
    took = [kill.seconds for kill in counting if kill.seconds is not None]
    late = [
        f"{kill.about} stood still "
        + (f"for {kill.seconds:.1f} s" if kill.seconds is not None else "to the end")
        + f" after: {kill.cause}"
        for kill in counting
        if kill.seconds is None or kill.seconds > limit
    ]
    middle = f"median {median(took):.1f} s, slowest {max(took):.1f} s" if took else "none"
    promise = f"recovery from `kill -9` within {limit:g} s"
    if disturbed:
        promise += ", with more trouble before it had recovered"
    return Invariant(promise, f"{len(counting)} kills: {middle}", late)


def no_place_is_lost(held: int, unfinished: int) -> Invariant:
    """A key with limits has given back every place of a job that has ended."""
    lost = max(0, held - unfinished)
    broken = [f"{lost} places are held by nobody"] if lost else []
    return Invariant(
        "no place at a key is lost", f"{held} held, {unfinished} jobs that may", broken
    )


def the_figures_agree(submits: int, jobs: int, paid: int) -> Invariant:
    """What `/metrics` publishes, against the station's own books."""
    ratio = submits / jobs if jobs else 1
    broken = [] if submits == jobs and submits >= paid else [f"{submits} submits for {jobs} jobs"]
    return Invariant(
        "`genq_upstream_submits_total / genq_jobs_submitted_total` is 1.000",
        f"{submits} / {jobs} = {ratio:.3f}, of which the station was paid for {paid}",
        broken,
    )


def nobody_died_by_himself(deaths: Sequence[str]) -> Invariant:
    counted = "none" if not deaths else str(len(deaths))
    return Invariant("no process ends that nobody ended", counted, deaths)


def table(invariants: Sequence[Invariant]) -> str:
    """The invariants in Markdown, and below it the first few who broke each."""
    lines = ["| promise | counted | broken |", "|---|---|---|"]
    lines += [f"| {each.promise} | {each.counted} | {len(each.broken)} |" for each in invariants]
    for each in invariants:
        lines += [f"BROKEN: {words}" for words in each.broken[:20]]
    return "\n".join(lines)
