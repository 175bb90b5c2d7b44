"""
Looking at tasks upstream: a pipeline without a barrier.

Each look is a coroutine of its own, so one that hangs holds up nobody else; caps per station and
key bound how many may hang. Where the upstream answers for many tasks at once, jobs of one key
share a query, and a task missing from its answer is looked at singly before anything is believed of
it.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from generation.binding import Binding, Unbound, bind
from generation.errors import AccountBlocked, Fault, Throttled, UnrecognizedReply
from generation.heard import Heard
from generation.job import Job, JobState
from generation.lifecycle import Moment, after_look, expired, heard
from generation.operation import Task
from generation.status import Running, Status
from worker.inputs import early_answered
from worker.room import Room

log = structlog.get_logger(__name__)

LOOKABLE = frozenset({JobState.RUNNING, JobState.AWAITING_INPUT, JobState.EXPIRED})
#: A key the upstream calls too fast, or refuses, is not looked with for this long.
THROTTLE_PAUSE = timedelta(seconds=5)
BLOCKED_PAUSE = timedelta(seconds=60)
#: A station that could not answer a batch query is asked singly for this long.
BATCH_PAUSE = timedelta(minutes=10)

Lane = tuple[str, str]


class Looks:
    """The looks on the wire in this process."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._jobs: set[str] = set()
        self._by_station: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[Lane, asyncio.Semaphore] = {}
        self._paused: dict[Lane, datetime] = {}
        self._single: dict[tuple[str, str, str], datetime] = {}
        self._unknown_words: set[tuple[str, str]] = set()

    @property
    def free(self) -> int:
        """How many more looks this process takes on."""
        return max(0, self._room.settings.looks_in_flight - len(self._jobs))

    def full_stations(self) -> list[str]:
        """Stations with as many looks on the wire as they may have: claim none of theirs now."""
        cap = self._room.settings.looks_per_station
        return [station for station, count in self._by_station.items() if count >= cap]

    def start(self, jobs: Iterable[Job]) -> None:
        """Look at these claimed jobs. Returns at once."""
        groups: defaultdict[tuple[str, str, str], list[tuple[Job, Binding]]] = defaultdict(list)
        for job in jobs:
            binding = self._binding(job)
            if binding is not None and job.id not in self._jobs:
                groups[binding.batch_group].append((job, binding))
        now = self._room.now()
        for group, members in groups.items():
            limit = members[0][1].operation.batch_limit
            batched = limit > 1 and len(members) > 1 and self._single.get(group, now) <= now
            size = limit if batched else 1
            for first in range(0, len(members), size):
                self._spawn(members[first : first + size])

    async def drain(self) -> None:
        """Wait until every look on the wire has been answered and saved."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _binding(self, job: Job) -> Binding | None:
        try:
            binding = bind(self._room.stations, job)
        except Unbound as error:
            log.warning("look_impossible", job_id=job.id, reason=str(error))
            return None
        paused_until = self._paused.get((binding.station.name, binding.key.name))
        return None if paused_until and self._room.now() < paused_until else binding

    def _spawn(self, members: Sequence[tuple[Job, Binding]]) -> None:
        ids = [job.id for job, _ in members]
        station = members[0][1].station.name
        self._jobs.update(ids)
        self._by_station[station] += 1
        task = asyncio.create_task(self._look(members))
        self._tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._jobs.difference_update(ids)
            self._by_station[station] -= 1
            if not task.cancelled() and (error := task.exception()):
                log.error("look_failed", jobs=ids[:3], exc_info=error)

        task.add_done_callback(done)

    async def _look(self, members: Sequence[tuple[Job, Binding]]) -> None:
        async with self._lane(members[0][1]):
            if len(members) == 1:
                await self._look_at_one(*members[0])
                return
            missing = await self._look_at_many(members)
            for job, binding in missing:
                await self._look_at_one(job, binding)

    def _lane(self, binding: Binding) -> asyncio.Semaphore:
        lane = (binding.station.name, binding.key.name)
        if lane not in self._lanes:
            self._lanes[lane] = asyncio.Semaphore(self._room.settings.looks_per_key)
        return self._lanes[lane]

    async def _look_at_one(self, job: Job, binding: Binding) -> None:
        task = Task(job.upstream_id or "", job.upstream_details)
        try:
            said = await self._room.upstream.query(binding, task)
        except Fault as fault:
            self._pause(binding, fault)
            words = fault.words
            said = Heard(fault, lambda: words)
        await self._save(job, binding, said)

    async def _look_at_many(
        self, members: Sequence[tuple[Job, Binding]]
    ) -> Sequence[tuple[Job, Binding]]:
        """Looks at all and returns those the answer said nothing of."""
        binding = members[0][1]
        ids = [job.upstream_id or "" for job, _ in members]
        try:
            said = await self._room.upstream.query_batch(binding, ids)
        except UnrecognizedReply as fault:
            self._single[binding.batch_group] = self._room.now() + BATCH_PAUSE
            log.warning("batch_query_given_up", station=binding.station.name, reason=str(fault))
            return members
        except Fault as fault:
            self._pause(binding, fault)
            return ()
        await asyncio.gather(
            *(
                self._save(job, binding, said[upstream_id])
                for job, _ in members
                if (upstream_id := job.upstream_id or "") in said
            )
        )
        return [member for member in members if member[0].upstream_id not in said]

    def _pause(self, binding: Binding, fault: Fault) -> None:
        """A fault about the key slows the key down, not the job."""
        match fault:
            case Throttled():
                pause = fault.retry_after or THROTTLE_PAUSE
            case AccountBlocked():
                pause = fault.retry_after or BLOCKED_PAUSE
            case _:
                return
        lane = (binding.station.name, binding.key.name)
        self._paused[lane] = self._room.now() + pause
        log.warning("key_paused", station=lane[0], key=lane[1], reason=f"{fault.code}: {fault}")

    async def _save(self, job: Job, binding: Binding, said: Heard[Status | Fault]) -> None:
        """Write down what was learned; a look that learned nothing writes nothing."""
        at = self._room.moment(binding)
        answer = said.answer
        if isinstance(answer, Running) and answer.unknown_word:
            self._say_unknown(binding, answer.unknown_word)

        if decided(job, job, answer, at) is job:
            return
        words = said.words

        def decide(fresh: Job) -> Job:
            after = decided(job, fresh, answer, at)
            if after.state is not fresh.state:
                after = early_answered(after, binding)
            return heard(fresh, after, words)

        change = await self._room.save(job.id, decide)
        self._room.show(change)
        if change is not None and change.moved:
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
        if (binding.station.name, word) not in self._unknown_words:
            self._unknown_words.add((binding.station.name, word))
            log.warning("unknown_status_word", station=binding.station.name, word=word)


def decided(claimed: Job, fresh: Job, answer: Status | Fault, at: Moment) -> Job:
    """
    What a look says of the job as it is now. An ending counts whoever else has looked meanwhile;
    less than that counts only for the claim it was made under.
    """
    same_task = fresh.state in LOOKABLE and fresh.upstream_id == claimed.upstream_id
    if not same_task:
        return fresh
    after = after_look(fresh, answer, at)
    if after.is_terminal:
        return after
    if at.now >= fresh.deadline:
        return expired(after, at)
    return after if fresh.version == claimed.version else fresh
