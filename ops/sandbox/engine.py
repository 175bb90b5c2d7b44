"""The engine: every submit and every poll of every protocol goes through it.

It decides whether a task is created, refused, charged, hidden or shown late. Renderers
(`TaskRenderer`) give each decision the form of a protocol.
"""

from collections.abc import Callable, Sequence

from starlette.responses import Response

from ops.sandbox.dialect import Refusal, TaskRenderer
from ops.sandbox.knobs import Knob
from ops.sandbox.replies import HangUp, bad_gateway, dashboard, half_a_json
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import SandboxTask, TaskSubmission, View

#: The refusal, or the other response, of each knob that prevents a task; the first that applies
#: decides.
_REFUSED_BY: dict[Knob, Refusal | Callable[[], Response]] = {
    Knob.DROP_BEFORE: HangUp,
    Knob.HTML: dashboard,
    Knob.THROTTLE: Refusal.THROTTLED,
    Knob.AUTH: Refusal.AUTH,
    Knob.NO_CREDIT: Refusal.NO_CREDIT,
    Knob.INVALID: Refusal.INVALID,
    Knob.MODERATED: Refusal.MODERATED,
    Knob.QUEUE_FULL: Refusal.QUEUE_FULL,
}


Create = Callable[[TaskSubmission], tuple[SandboxTask, int] | None]


async def submit(
    station: SandboxStation,
    renderer: TaskRenderer,
    submission: TaskSubmission,
    create: Create | None = None,
) -> Response:
    """Create and charge a task, or refuse to.

    The decision is made before any delay.

    `create` replaces the usual way to create a task; it returns None if the queue is full.
    """
    reply = _decide(station, renderer, submission, create or station.create)
    wait = station.config.answer_delay_seconds + submission.knobs.number(Knob.SLOW)
    return reply if await station.pause(wait) else HangUp()


def refuse(station: SandboxStation, refusal: Refusal, reply: Response) -> Response:
    """Count a refused submit in the ledger and return `reply`."""
    station.ledger.refuse(refusal)
    return reply


def reject_key(station: SandboxStation, reply: Response) -> Response:
    """Count a submit with a rejected key in the ledger and return `reply`."""
    station.ledger.refuse("key")
    return reply


def _decide(
    station: SandboxStation, renderer: TaskRenderer, submission: TaskSubmission, create: Create
) -> Response:
    for knob, instead in _REFUSED_BY.items():
        if station.spend(knob, submission):
            station.ledger.refuse(knob.word)
            return (
                renderer.refusal(instead, submission.prompt)
                if isinstance(instead, Refusal)
                else instead()
            )
    if _is_duplicate(station, submission):
        return refuse(station, Refusal.DUPLICATE, renderer.refusal(Refusal.DUPLICATE))
    created = create(submission)
    if created is None:
        return refuse(station, Refusal.QUEUE_FULL, renderer.refusal(Refusal.QUEUE_FULL))
    if station.spend(Knob.DROP, submission):
        return HangUp()
    if station.spend(Knob.BAD_GATEWAY, submission):
        return bad_gateway()
    if station.spend(Knob.NO_ID, submission):
        return renderer.accepted_without_id()
    return renderer.accepted(*created)


def _is_duplicate(station: SandboxStation, submission: TaskSubmission) -> bool:
    profile = submission.profile
    if not (profile.unique_references and submission.reference):
        return False
    return (
        station.task_store.by_reference(profile.provider, submission.account, submission.reference)
        is not None
    )


async def poll(
    station: SandboxStation, renderer: TaskRenderer, task: SandboxTask | None
) -> Response:
    """Answer a poll of one task; None: of an unknown task."""
    station.ledger.looks += 1
    failure = await _delay_and_failure(station, renderer, [] if task is None else [task])
    if failure is not None:
        return failure
    if task is None or task.spend(Knob.LOST):
        station.ledger.unknown_looks += 1
        return renderer.not_found()
    return renderer.found(task, station.view(task))


async def poll_many(
    station: SandboxStation,
    renderer: TaskRenderer,
    tasks: Sequence[SandboxTask],
    reply: Callable[[list[tuple[SandboxTask, View]]], Response],
) -> Response:
    """Answer one poll of many tasks.

    A failure that a knob of one task asks for applies to the whole response; lost tasks are left
    out.
    """
    station.ledger.batch_looks += 1
    failure = await _delay_and_failure(station, renderer, tasks)
    return failure or reply(_views(station, tasks))


async def list_tasks(
    station: SandboxStation,
    renderer: TaskRenderer,
    tasks: Sequence[SandboxTask],
    reply: Callable[[list[tuple[SandboxTask, View]]], Response],
) -> Response:
    """Answer a listing.

    It counts as a poll of no task, so of the tasks' knobs only `lost` applies.
    """
    station.ledger.list_looks += 1
    failure = await _delay_and_failure(station, renderer, [])
    return failure or reply(_views(station, tasks))


def _views(station: SandboxStation, tasks: Sequence[SandboxTask]) -> list[tuple[SandboxTask, View]]:
    return [(task, station.view(task)) for task in tasks if not task.spend(Knob.LOST)]


async def _delay_and_failure(
    station: SandboxStation, renderer: TaskRenderer, tasks: Sequence[SandboxTask]
) -> Response | None:
    """Wait as long as the look has to; then what it is answered instead, if anything."""
    lot = station.draw()
    fails = lot < station.config.look_fail_rate
    hangs = not fails and lot < station.config.look_fail_rate + station.config.look_hang_rate
    instead: Response | None = bad_gateway() if fails else None
    wait = station.config.look_hang_seconds if hangs else 0.0
    for task in tasks:
        task.looks += 1
        if task.submission.knobs:
            wait = max(wait, _wait_of(task, station))
            instead = instead or _failure_of(task, renderer)
    answered = await station.pause(station.config.answer_delay_seconds + wait)
    return instead if answered else HangUp()


def _wait_of(task: SandboxTask, station: SandboxStation) -> float:
    hang = station.config.look_hang_seconds if task.spend(Knob.HANG_LOOK) else 0.0
    return hang + task.submission.knobs.number(Knob.SLOW_LOOK)


def _failure_of(task: SandboxTask, renderer: TaskRenderer) -> Response | None:
    if task.spend(Knob.LOOK_ERRORS):
        return bad_gateway()
    if task.spend(Knob.LOOK_THROTTLE):
        return renderer.refusal(Refusal.THROTTLED)
    return half_a_json() if task.spend(Knob.LOOK_GARBAGE) else None
