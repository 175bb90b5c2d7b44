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
from generation.lifecycle import DecisionContext, after_look, expired, with_last_reply
from generation.stations.binding import Binding, BindingLost, bind
from generation.stations.circuit_breaker import TRIALS, CircuitState
from generation.store import StationKey, UnreadableRow
from generation.upstream.transcript import UpstreamAnswer
from worker.context import WorkerContext
from worker.polling.batch_health import BatchHealth
from worker.polling.expiry import expire, is_late
from worker.polling.given import without_given
from worker.polling.limits import LookLimits, Request
from worker.polling.not_found import NotFoundTracker
from worker.polling.refused_looks import RefusedLookTracker
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


class Poller:
    """The looks of this process, open and about to be sent."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._limits = LookLimits(context.settings, context.stations, self._send)
        #: Jobs being looked at: none has two looks here, however long the first takes.
        self._jobs: set[str] = set()
        self._tasks: set[asyncio.Task[Request]] = set()
        self._batches = BatchHealth()
        self._missing = NotFoundTracker()
        self._refused = RefusedLookTracker()
        self._unknown_words: set[tuple[str, str]] = set()
        self._foreign: set[StationKey] = set()

    def rooms(self) -> dict[StationKey, int]:
        """Return how many jobs of each key may be claimed now."""
        return self._limits.rooms(self._context.monotonic_time(), self._most)

    @property
    def have_more(self) -> bool:
        """Return whether more may be due than the keys had free looks for."""
        return self._limits.have_more

    def more_rooms(self) -> dict[StationKey, int]:
        """The same for the keys for which more is due and that have free looks again."""
        return self._limits.more_rooms(self._context.monotonic_time(), self._most)

    def claimed(self, rooms: Mapping[StationKey, int], jobs: Iterable[Job]) -> None:
        """Record what was claimed for these keys."""
        self._limits.claimed(rooms, Counter((job.station or "", job.key or "") for job in jobs))

    def closed(self, station_keys: Iterable[StationKey]) -> list[StationKey]:
        """Return those of these keys that are not looked at now."""
        open_lanes = self._limits.open(self._context.monotonic_time())
        for station_key in station_keys:
            if not self._limits.knows(station_key) and station_key not in self._foreign:
                self._foreign.add(station_key)
                log.warning("key_not_in_settings", station=station_key[0], key=station_key[1])
        return [
            station_key
            for station_key in station_keys
            if station_key not in open_lanes or not self._most(station_key[0])
        ]

    def start(self, jobs: Iterable[Job]) -> list[Job]:
        """Look at these claimed jobs. Returns at once, with those that cannot be looked at."""
        groups: defaultdict[tuple[str, str, str], list[tuple[Job, Binding]]] = defaultdict(list)
        unbound: list[Job] = []
        for job in jobs:
            binding = self._binding(job)
            if binding is None:
                unbound.append(job)
            elif job.id not in self._jobs and self._context.breakers.may_try(
                job.station or "", job.id
            ):
                groups[binding.batch_group].append((job, binding))
        now = self._context.monotonic_time()
        for group, members in groups.items():
            limit = members[0][1].operation.batch_limit
            size = limit if limit > 1 and self._batches.usable(group, now) else 1
            requests = [members[first : first + size] for first in range(0, len(members), size)]
            self._begin(members[0][1].station_key, requests)
        return unbound

    def _begin(self, station_key: StationKey, requests: Sequence[Request]) -> None:
        """Start a request.

        If the key is paused these looks are dropped: the next ones come by themselves.
        """
        ids = {job.id for request in requests for job, _ in request}
        self._jobs |= ids
        if not self._limits.start(station_key, requests, self._context.monotonic_time()):
            self._jobs -= ids

    async def drain(self) -> None:
        """Wait until every open look has been answered and saved."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _most(self, station: str) -> int:
        """Return how many requests a station may have open, given its circuit breaker."""
        match self._context.breakers.state(station):
            case CircuitState.OPEN:
                return 0
            case CircuitState.HALF_OPEN:
                return TRIALS
            case CircuitState.CLOSED:
                return self._context.settings.looks_per_station

    def _binding(self, job: Job) -> Binding | None:
        try:
            return bind(self._context.stations, job)
        except BindingLost as error:
            log.warning("look_impossible", job_id=job.id, reason=str(error))
            return None

    def _send(self, station_key: StationKey, request: Request) -> None:
        task = asyncio.create_task(self._look(station_key, request))
        self._tasks.add(task)

        def done(task: asyncio.Task[Request]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            rest = () if task.cancelled() or error is not None else task.result()
            self._jobs.difference_update(job.id for job, _ in request)
            self._limits.ended(station_key)
            if rest:
                self._begin(station_key, [[member] for member in rest])
            if error is not None and not isinstance(error, UnreadableRow):
                jobs = [job.id for job, _ in request[:3]]
                log.error("look_failed", jobs=jobs, exc_info=error)

        task.add_done_callback(done)

    async def _look(self, station_key: StationKey, request: Request) -> Request:
        """Look at the jobs. Returns those that are still to be looked at, one by one."""
        if len(request) > 1:
            return await self._look_at_many(station_key, request)
        await self._look_at_one(station_key, *request[0])
        return ()

    async def _look_at_one(self, station_key: StationKey, job: Job, binding: Binding) -> None:
        task = Task(job.upstream_id or "", job.upstream_details)
        try:
            said = await self._context.upstream.query(binding, task)
            said = await without_given(self._context, job, binding, said)
        except Fault as fault:
            await self._mind(station_key, fault, [job.id], about=job.id)
            words = fault.words
            said = UpstreamAnswer(fault, lambda: words)
        else:
            self._well(station_key, about=job.id)
        if self._is_news(job, binding, said):
            await self._save(job, binding, said)
        elif is_refusal(said.answer) and station_key in self._limits.open(
            self._context.monotonic_time()
        ):
            await self._postpone(job, binding, said.answer)

    async def _postpone(self, job: Job, binding: Binding, fault: Fault) -> None:
        """Look at this job later, because the upstream refuses looks, and set its reason."""
        at = self._context.moment(binding, job.model)
        until = at.retry(fault, job.deadline, THROTTLE_PAUSE)

        def decide(fresh: Job) -> Job:
            if fresh.state not in UNFINISHED_UPSTREAM or fresh.version != job.version:
                return fresh
            wake_at = max(fresh.wake_at or until, until)
            return fresh.keep(at.now, reason=refusal_of_looks(fault, until), wake_at=wake_at)

        await self._context.save(job.id, decide)

    async def _look_at_many(self, station_key: StationKey, members: Request) -> Request:
        """Send one request for all. Returns the jobs that the answer said nothing about."""
        binding = members[0][1]
        ids = [job.upstream_id or "" for job, _ in members]
        batch = "/".join(binding.batch_group)
        try:
            said = await self._context.upstream.query_batch(binding, ids)
        except Fault as fault:
            await self._mind(station_key, fault, [job.id for job, _ in members], about=batch)
            if self._batches.failed(binding.batch_group, fault, self._context.monotonic_time()):
                log.warning("batch_query_disabled", station=station_key[0], reason=str(fault))
            late = [job for job, _ in members if is_late(job, self._context)]
            await asyncio.gather(*(expire(self._context, job) for job in late))
            return ()
        self._well(station_key, about=batch)
        self._batches.worked(binding.batch_group)
        answers: list[tuple[Job, Binding, UpstreamAnswer[Status] | None]] = []
        done: list[tuple[Job, Binding, UpstreamAnswer[Status]]] = []
        for job, own in members:
            it = said.get(job.upstream_id or "")
            if it and isinstance(it.answer, Succeeded):
                done.append((job, own, it))
            else:
                answers.append((job, own, it))
        answers += await asyncio.gather(*(self._judged(*each) for each in done))
        if not any(it for _, _, it in answers):
            self._batches.shows_nothing(binding.batch_group, self._context.monotonic_time())
        news = [(job, own, it) for job, own, it in answers if it and self._is_news(job, own, it)]
        await asyncio.gather(*(self._save(job, own, it) for job, own, it in news))
        return [(job, own) for job, own, it in answers if it is None]

    async def _judged(
        self, job: Job, binding: Binding, said: UpstreamAnswer[Status]
    ) -> tuple[Job, Binding, UpstreamAnswer[Status] | None]:
        """Return the answer for one of many; None if that task is better looked at singly."""
        try:
            return job, binding, await without_given(self._context, job, binding, said)
        except Fault:
            return job, binding, None

    def _well(self, station_key: StationKey, about: str) -> None:
        self._context.counts.add(LOOKS)
        self._limits.answered(station_key)
        self._refused.answered(station_key)
        self._context.breakers.heard(station_key[0], None, about)

    async def _mind(
        self, station_key: StationKey, fault: Fault, job_ids: Sequence[str], about: str
    ) -> None:
        """A fault about the key slows the key down, one of the station the station; never a job."""
        self._context.counts.add(LOOKS)
        self._context.counts.add(LOOK_FAULTS)
        self._context.breakers.heard(station_key[0], fault, about)
        if not is_refusal(fault) or not self._refused.is_about_key(
            station_key, fault, job_ids, self._context.monotonic_time()
        ):
            return
        usual = THROTTLE_PAUSE if isinstance(fault, Throttled) else BLOCKED_PAUSE
        pause = look_pause(fault, usual)
        now = self._context.monotonic_time()
        first_to_know = station_key in self._limits.open(now)
        self._lapse(self._limits.pause(station_key, now + pause))
        log.warning(
            "key_paused",
            station=station_key[0],
            key=station_key[1],
            seconds=pause.total_seconds(),
            reason=f"{fault.code}: {fault}",
        )
        if first_to_know:
            await note_pause(self._context, station_key, self._context.now() + pause)

    def join_pauses(self) -> None:
        """Pause looks of keys that other workers were told to pause."""
        now, steady = self._context.now(), self._context.monotonic_time()
        for station_key, account in self._context.accounts.items():
            if account.look_after is None or not account.is_unwatched(now):
                continue
            rest = account.look_after - now
            if rest > SLIGHT and self._limits.knows(station_key):
                self._lapse(self._limits.join_pause(station_key, steady + rest, steady))

    def _lapse(self, requests: Iterable[Request]) -> None:
        for request in requests:
            self._jobs.difference_update(job.id for job, _ in request)

    def _is_news(self, job: Job, binding: Binding, said: UpstreamAnswer[Status | Fault]) -> bool:
        """Return whether anything is to be saved: mostly the task just still runs."""
        answer = said.answer
        if isinstance(answer, Running) and answer.unknown_word:
            self._say_unknown(binding, answer.unknown_word)
        return decided(job, job, answer, self._moment(job, binding, answer)) is not job

    def _moment(self, job: Job, binding: Binding, answer: Status | Fault) -> DecisionContext:
        at = self._context.moment(binding, job.model)
        missing_for = self._missing.heard(job.id, answer, self._context.monotonic_time())
        return replace(at, missing_for=missing_for) if missing_for else at

    async def _save(self, job: Job, binding: Binding, said: UpstreamAnswer[Status | Fault]) -> None:
        """Save what was learned."""
        answer, at = said.answer, self._moment(job, binding, said.answer)
        words = said.words

        def decide(fresh: Job) -> Job:
            after = decided(job, fresh, answer, at)
            if after.state is not fresh.state:
                after = early_answered(after, binding)
            return with_last_reply(fresh, after, words)

        change = await self._context.save(job.id, decide)
        self._context.show(change)
        if change is not None and change.moved:
            if isinstance(answer, Succeeded | Failed) and measured(self._context, job, at):
                self._context.learned.saw(binding, job, at.now)
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
        self._context.counts.add(STRANGE_WORDS)
        if (binding.station.name, word) not in self._unknown_words:
            self._unknown_words.add((binding.station.name, word))
            log.warning("unknown_status_word", station=binding.station.name, word=word)


def is_refusal(answer: object) -> TypeGuard[Throttled | AccountBlocked]:
    """Return whether the upstream refuses looks now, or with this key."""
    return isinstance(answer, Throttled | AccountBlocked)


def refusal_of_looks(fault: Fault, until: datetime) -> str:
    return f"{REFUSED} until {until:%H:%M:%S} UTC ({fault.code}: {fault.message})"


def measured(context: WorkerContext, job: Job, at: DecisionContext) -> bool:
    """Return whether the duration of the task is known: no clock was set while it ran."""
    return job.started_at is not None and context.clock.measures(job.started_at, at.now)


def decided(claimed: Job, fresh: Job, answer: Status | Fault, at: DecisionContext) -> Job:
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
