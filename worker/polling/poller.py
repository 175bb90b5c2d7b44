"""Looks at upstream tasks: a pipeline without a barrier.

Each request is a coroutine of its own, so one that hangs delays no others; `worker.polling.limits`
bounds how many may be open. Where the upstream answers for many tasks at once, jobs of one key
share a query, and a task missing from its answer is looked at singly before anything is concluded.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeGuard

import structlog

from generation.contract.errors import AccountBlocked, Fault, Throttled
from generation.contract.operation import Task
from generation.contract.pauses import look_pause
from generation.contract.status import Failed, Running, Status, Succeeded
from generation.counters import LOOK_FAULTS, LOOKS, STRANGE_WORDS
from generation.job import Job, JobState
from generation.lifecycle import Moment, after_look, expired, heard
from generation.stations.binding import Binding, Unbound, bind
from generation.stations.circuit_breaker import TRIALS, BreakerState
from generation.store import Lane, UnreadableRow
from generation.upstream.transcript import Heard
from worker.context import Room
from worker.polling.batch_health import Batches
from worker.polling.expiry import expire, is_late
from worker.polling.given import without_given
from worker.polling.limits import Lanes, Request
from worker.polling.not_found import Missing
from worker.polling.refused_looks import RefusedLooks
from worker.stations.key_health import note_pause
from worker.submitting.input import early_answered

log = structlog.get_logger(__name__)

LOOKABLE = frozenset({JobState.RUNNING, JobState.AWAITING_INPUT, JobState.EXPIRED, JobState.FAILED})
UNFINISHED_UPSTREAM = frozenset({JobState.RUNNING, JobState.AWAITING_INPUT})
#: The beginning of the reason of a job whose upstream refuses looks.
REFUSED = "the station refuses to be asked about it"
#: The pause of looks with a key that was rate limited or refused.
THROTTLE_PAUSE = timedelta(seconds=5)
BLOCKED_PAUSE = timedelta(seconds=60)
#: A pause with less than this left counts as over.
SLIGHT = timedelta(seconds=0.1)


class Looks:
    """The looks of this process, open and about to be sent."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._lanes = Lanes(room.settings, room.stations, self._send)
        #: Jobs being looked at: none has two looks here, however long the first takes.
        self._jobs: set[str] = set()
        self._tasks: set[asyncio.Task[Request]] = set()
        self._batches = Batches()
        self._missing = Missing()
        self._refused = RefusedLooks()
        self._unknown_words: set[tuple[str, str]] = set()
        self._foreign: set[Lane] = set()

    def rooms(self) -> dict[Lane, int]:
        """Return how many jobs of each key may be claimed now."""
        return self._lanes.rooms(self._room.steady(), self._most)

    @property
    def have_more(self) -> bool:
        """Return whether more may be due than the keys had free looks for."""
        return self._lanes.have_more

    def more_rooms(self) -> dict[Lane, int]:
        """The same for the keys for which more is due and that have free looks again."""
        return self._lanes.more_rooms(self._room.steady(), self._most)

    def claimed(self, rooms: Mapping[Lane, int], jobs: Iterable[Job]) -> None:
        """Record what was claimed for these keys."""
        self._lanes.claimed(rooms, Counter((job.station or "", job.key or "") for job in jobs))

    def closed(self, lanes: Iterable[Lane]) -> list[Lane]:
        """Return those of these keys that are not looked at now."""
        open_lanes = self._lanes.open(self._room.steady())
        for lane in lanes:
            if not self._lanes.knows(lane) and lane not in self._foreign:
                self._foreign.add(lane)
                log.warning("lane_not_in_settings", station=lane[0], key=lane[1])
        return [lane for lane in lanes if lane not in open_lanes or not self._most(lane[0])]

    def start(self, jobs: Iterable[Job]) -> list[Job]:
        """Look at these claimed jobs. Returns at once, with those that cannot be looked at."""
        groups: defaultdict[tuple[str, str, str], list[tuple[Job, Binding]]] = defaultdict(list)
        unbound: list[Job] = []
        for job in jobs:
            binding = self._binding(job)
            if binding is None:
                unbound.append(job)
            elif job.id not in self._jobs and self._room.breakers.may_try(
                job.station or "", job.id
            ):
                groups[binding.batch_group].append((job, binding))
        now = self._room.steady()
        for group, members in groups.items():
            limit = members[0][1].operation.batch_limit
            size = limit if limit > 1 and self._batches.usable(group, now) else 1
            requests = [members[first : first + size] for first in range(0, len(members), size)]
            self._begin(members[0][1].lane, requests)
        return unbound

    def _begin(self, lane: Lane, requests: Sequence[Request]) -> None:
        """Start a request.

        If the key is paused these looks are dropped: the next ones come by themselves.
        """
        ids = {job.id for request in requests for job, _ in request}
        self._jobs |= ids
        if not self._lanes.start(lane, requests, self._room.steady()):
            self._jobs -= ids

    async def drain(self) -> None:
        """Wait until every open look has been answered and saved."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _most(self, station: str) -> int:
        """Return how many requests a station may have open, given its circuit breaker."""
        match self._room.breakers.state(station):
            case BreakerState.OPEN:
                return 0
            case BreakerState.HALF_OPEN:
                return TRIALS
            case BreakerState.CLOSED:
                return self._room.settings.looks_per_station

    def _binding(self, job: Job) -> Binding | None:
        try:
            return bind(self._room.stations, job)
        except Unbound as error:
            log.warning("look_impossible", job_id=job.id, reason=str(error))
            return None

    def _send(self, lane: Lane, request: Request) -> None:
        task = asyncio.create_task(self._look(lane, request))
        self._tasks.add(task)

        def done(task: asyncio.Task[Request]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            rest = () if task.cancelled() or error is not None else task.result()
            self._jobs.difference_update(job.id for job, _ in request)
            self._lanes.ended(lane)
            if rest:
                self._begin(lane, [[member] for member in rest])
            if error is not None and not isinstance(error, UnreadableRow):
                jobs = [job.id for job, _ in request[:3]]
                log.error("look_failed", jobs=jobs, exc_info=error)

        task.add_done_callback(done)

    async def _look(self, lane: Lane, request: Request) -> Request:
        """Look at the jobs. Returns those that are still to be looked at, one by one."""
        if len(request) > 1:
            return await self._look_at_many(lane, request)
        await self._look_at_one(lane, *request[0])
        return ()

    async def _look_at_one(self, lane: Lane, job: Job, binding: Binding) -> None:
        task = Task(job.upstream_id or "", job.upstream_details)
        try:
            said = await self._room.upstream.query(binding, task)
            said = await without_given(self._room, job, binding, said)
        except Fault as fault:
            await self._mind(lane, fault, [job.id], about=job.id)
            words = fault.words
            said = Heard(fault, lambda: words)
        else:
            self._well(lane, about=job.id)
        if self._is_news(job, binding, said):
            await self._save(job, binding, said)
        elif is_refusal(said.answer) and lane in self._lanes.open(self._room.steady()):
            await self._put_off(job, binding, said.answer)

    async def _put_off(self, job: Job, binding: Binding, fault: Fault) -> None:
        """Look at this job later, because the upstream refuses looks, and set its reason."""
        at = self._room.moment(binding, job.model)
        until = at.retry(fault, job.deadline, THROTTLE_PAUSE)

        def decide(fresh: Job) -> Job:
            if fresh.state not in UNFINISHED_UPSTREAM or fresh.version != job.version:
                return fresh
            wake_at = max(fresh.wake_at or until, until)
            return fresh.keep(at.now, reason=refusal_of_looks(fault, until), wake_at=wake_at)

        await self._room.save(job.id, decide)

    async def _look_at_many(self, lane: Lane, members: Request) -> Request:
        """Send one request for all. Returns the jobs that the answer said nothing about."""
        binding = members[0][1]
        ids = [job.upstream_id or "" for job, _ in members]
        batch = "/".join(binding.batch_group)
        try:
            said = await self._room.upstream.query_batch(binding, ids)
        except Fault as fault:
            await self._mind(lane, fault, [job.id for job, _ in members], about=batch)
            if self._batches.failed(binding.batch_group, fault, self._room.steady()):
                log.warning("batch_query_given_up", station=lane[0], reason=str(fault))
            late = [job for job, _ in members if is_late(job, self._room)]
            await asyncio.gather(*(expire(self._room, job) for job in late))
            return ()
        self._well(lane, about=batch)
        self._batches.worked(binding.batch_group)
        heard: list[tuple[Job, Binding, Heard[Status] | None]] = []
        done: list[tuple[Job, Binding, Heard[Status]]] = []
        for job, own in members:
            it = said.get(job.upstream_id or "")
            if it and isinstance(it.answer, Succeeded):
                done.append((job, own, it))
            else:
                heard.append((job, own, it))
        heard += await asyncio.gather(*(self._judged(*each) for each in done))
        if not any(it for _, _, it in heard):
            self._batches.shows_nothing(binding.batch_group, self._room.steady())
        news = [(job, own, it) for job, own, it in heard if it and self._is_news(job, own, it)]
        await asyncio.gather(*(self._save(job, own, it) for job, own, it in news))
        return [(job, own) for job, own, it in heard if it is None]

    async def _judged(
        self, job: Job, binding: Binding, said: Heard[Status]
    ) -> tuple[Job, Binding, Heard[Status] | None]:
        """Return the answer for one of many; None if that task is better looked at singly."""
        try:
            return job, binding, await without_given(self._room, job, binding, said)
        except Fault:
            return job, binding, None

    def _well(self, lane: Lane, about: str) -> None:
        self._room.counts.add(LOOKS)
        self._lanes.answered(lane)
        self._refused.answered(lane)
        self._room.breakers.heard(lane[0], None, about)

    async def _mind(self, lane: Lane, fault: Fault, job_ids: Sequence[str], about: str) -> None:
        """A fault about the key slows the key down, one of the station the station; never a job."""
        self._room.counts.add(LOOKS)
        self._room.counts.add(LOOK_FAULTS)
        self._room.breakers.heard(lane[0], fault, about)
        if not is_refusal(fault) or not self._refused.is_about_key(
            lane, fault, job_ids, self._room.steady()
        ):
            return
        usual = THROTTLE_PAUSE if isinstance(fault, Throttled) else BLOCKED_PAUSE
        pause = look_pause(fault, usual)
        now = self._room.steady()
        first_to_know = lane in self._lanes.open(now)
        self._lapse(self._lanes.pause(lane, now + pause))
        log.warning(
            "key_paused",
            station=lane[0],
            key=lane[1],
            seconds=pause.total_seconds(),
            reason=f"{fault.code}: {fault}",
        )
        if first_to_know:
            await note_pause(self._room, lane, self._room.now() + pause)

    def join_pauses(self) -> None:
        """Pause looks of keys that other workers were told to pause."""
        now, steady = self._room.now(), self._room.steady()
        for lane, account in self._room.accounts.items():
            if account.look_after is None or not account.is_unwatched(now):
                continue
            rest = account.look_after - now
            if rest > SLIGHT and self._lanes.knows(lane):
                self._lapse(self._lanes.join_pause(lane, steady + rest, steady))

    def _lapse(self, requests: Iterable[Request]) -> None:
        for request in requests:
            self._jobs.difference_update(job.id for job, _ in request)

    def _is_news(self, job: Job, binding: Binding, said: Heard[Status | Fault]) -> bool:
        """Return whether anything is to be saved: mostly the task just still runs."""
        answer = said.answer
        if isinstance(answer, Running) and answer.unknown_word:
            self._say_unknown(binding, answer.unknown_word)
        return decided(job, job, answer, self._moment(job, binding, answer)) is not job

    def _moment(self, job: Job, binding: Binding, answer: Status | Fault) -> Moment:
        at = self._room.moment(binding, job.model)
        missing_for = self._missing.heard(job.id, answer, self._room.steady())
        return replace(at, missing_for=missing_for) if missing_for else at

    async def _save(self, job: Job, binding: Binding, said: Heard[Status | Fault]) -> None:
        """Save what was learned."""
        answer, at = said.answer, self._moment(job, binding, said.answer)
        words = said.words

        def decide(fresh: Job) -> Job:
            after = decided(job, fresh, answer, at)
            if after.state is not fresh.state:
                after = early_answered(after, binding)
            return heard(fresh, after, words)

        change = await self._room.save(job.id, decide)
        self._room.show(change)
        if change is not None and change.moved:
            if isinstance(answer, Succeeded | Failed) and measured(self._room, job, at):
                self._room.learned.saw(binding, job, at.now)
            log.info(
                "look",
                job_id=job.id,
                type=job.type,
                station=job.station,
                upstream_id=job.upstream_id,
                outcome=change.after.state.value,
                reason=change.after.error.message if change.after.error else None,
            )

    def _say_unknown(self, binding: Binding, word: str) -> None:
        self._room.counts.add(STRANGE_WORDS)
        if (binding.station.name, word) not in self._unknown_words:
            self._unknown_words.add((binding.station.name, word))
            log.warning("unknown_status_word", station=binding.station.name, word=word)


def is_refusal(answer: object) -> TypeGuard[Throttled | AccountBlocked]:
    """Return whether the upstream refuses looks now, or with this key."""
    return isinstance(answer, Throttled | AccountBlocked)


def refusal_of_looks(fault: Fault, until: datetime) -> str:
    return f"{REFUSED} until {until:%H:%M:%S} UTC ({fault.code}: {fault.message})"


def measured(room: Room, job: Job, at: Moment) -> bool:
    """Return whether the duration of the task is known: no clock was set while it ran."""
    return job.started_at is not None and room.clock.measures(job.started_at, at.now)


def decided(claimed: Job, fresh: Job, answer: Status | Fault, at: Moment) -> Job:
    """Return the decision on the current job after a look.

    An outcome counts whoever else has looked meanwhile; anything less counts only for the claim it
    was made under.
    """
    same_task = fresh.state in LOOKABLE and fresh.upstream_id == claimed.upstream_id
    if not same_task:
        return fresh
    after = after_look(fresh, answer, at)
    if not isinstance(answer, Fault) and after.reason.startswith(REFUSED):
        after = after.keep(at.now, reason="")
    if after.is_terminal:
        return after
    if at.is_past(fresh.deadline):
        return expired(after, at)
    return after if fresh.version == claimed.version else fresh
