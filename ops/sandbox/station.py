"""The station: settings, clock, tasks and ledger, and the operations on them."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ops.sandbox.account_slots import AccountSlots
from ops.sandbox.callbacks import Callbacks
from ops.sandbox.clock import SandboxClock
from ops.sandbox.config import SandboxConfig
from ops.sandbox.knobs import Knob
from ops.sandbox.ledger import Ledger
from ops.sandbox.task_store import TaskStore
from ops.sandbox.tasks import SandboxTask, TaskSubmission, View, next_change, seconds_of, view

#: The fraction of the golden ratio. Its multiples are spread evenly over 0…1 and do not fall into
#: step with a client that polls its jobs in a fixed order, so no job gets every failure.
GOLDEN = 0.6180339887498949
#: Sandbox seconds between two checks of a followed task that waits for a slot.
WAITING_SECONDS = 5.0


class SandboxStation:
    """One sandbox station, on one event loop.

    Only `pause` yields to the loop: all other methods are atomic, however many requests arrive
    together.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self._config_at_start = config
        self.config = config
        self.clock = SandboxClock(config.speed)
        self.url_secret = secrets.token_bytes(32)
        self.callbacks = Callbacks(self.clock, self.view, self.next_change)
        self._closing = asyncio.Event()
        self._last_number = 0
        self._forget()

    def _forget(self) -> None:
        self.task_store = TaskStore()
        self.ledger = Ledger()
        self._slots: dict[tuple[str, str], AccountSlots] = {}
        self._spent: Counter[tuple[str, Knob, str]] = Counter()
        self._lots = 0

    def reset(self) -> None:
        """Remove all tasks and counts, and restore the initial settings. The clock is not reset."""
        self.callbacks.forget()
        self._forget()
        self._apply(self._config_at_start)

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings; an invalid one raises pydantic.ValidationError and changes nothing."""
        self._apply(self.config.changed(changes))

    def _apply(self, config: SandboxConfig) -> None:
        self.config = config
        self.clock.set_speed(config.speed)

    def close(self) -> None:
        """End every pause; connections that wait for a response are closed."""
        self._closing.set()

    async def pause(self, seconds: float) -> bool:
        """Wait `seconds` real seconds; returns false if the station was closed meanwhile."""
        if seconds <= 0:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return True
        return False

    def new_number(self) -> int:
        """A number that no other task has: real milliseconds and three random digits."""
        candidate = int(time.time() * 1000) * 1000 + random.randrange(1000)
        self._last_number = max(self._last_number + 1, candidate)
        return self._last_number

    def create(self, submission: TaskSubmission) -> tuple[SandboxTask, int] | None:
        """Create and charge a task; returns it and its queue position (0: it runs).

        None: the queue is full.
        """
        now = self.clock.now()
        task = SandboxTask(submission, now, seconds_of(submission, self.config.durations))
        place = self._place(task, now)
        if place is None:
            return None
        self.task_store.add(task, now, self.config.tasks_kept)
        self.ledger.pay(submission.profile.provider, submission.reference or submission.task_id)
        if submission.callback_url:
            self.callbacks.follow(task)
        return task, place

    def hold(self, submission: TaskSubmission) -> SandboxTask:
        """Create a task that waits for its caller's input; `resume` charges it."""
        now = self.clock.now()
        task = SandboxTask(submission, now, 0.0, awaits_input=True)
        self.task_store.add(task, now, self.config.tasks_kept)
        if submission.callback_url:
            self.callbacks.follow(task)
        return task

    def resume(
        self, task: SandboxTask, submission: TaskSubmission
    ) -> tuple[SandboxTask, int] | None:
        """Charge a waiting task and continue it as `submission` says. None: the queue is full."""
        task.submission, task.seconds = submission, seconds_of(submission, self.config.durations)
        place = self._place(task, self.clock.now())
        if place is None:
            return None
        task.awaits_input = False
        self.ledger.pay(submission.profile.provider, submission.reference)
        self.callbacks.touch(task)
        return task, place

    def add_finished(self, submission: TaskSubmission) -> SandboxTask:
        """Store a task that has ended and is not charged."""
        now = self.clock.now()
        task = SandboxTask(submission, now, 0.0)
        task.end(now)
        self.task_store.add(task, now, self.config.tasks_kept)
        return task

    def view(self, task: SandboxTask) -> View:
        """The task's present state, as a poll shows it."""
        now = self.clock.now()
        if task.starts_at is None:
            self._slots_of(task).settle(now, self.config.running_slots or len(self.task_store))
        return view(task, now)

    def next_change(self, task: SandboxTask) -> float:
        """The next sandbox time at which the view may differ; inf if it never does by itself."""
        now = self.clock.now()
        return now + WAITING_SECONDS if task.starts_at is None else next_change(task, now)

    def end(self, task: SandboxTask, *, canceled: bool = False) -> None:
        """End a task now: canceled, or with the outcome its knobs ask for."""
        task.end(self.clock.now(), canceled=canceled)
        self._slots_of(task).leave(task)
        self.callbacks.touch(task)

    def spend(self, knob: Knob, submission: TaskSubmission) -> bool:
        """Whether a counted knob of the job still applies to this submit; if so, it is counted."""
        if not submission.knobs.has(knob):
            return False
        job = (submission.profile.provider, knob, submission.reference or submission.prompt)
        if self._spent[job] >= submission.knobs.number(knob):
            return False
        self._spent[job] += 1
        return True

    def draw(self) -> float:
        """A number from 0 to 1 for the next poll, evenly spread."""
        self._lots += 1
        return self._lots * GOLDEN % 1.0

    def _place(self, task: SandboxTask, now: float) -> int | None:
        if not self.config.running_slots:
            task.start(now)
            return 0
        queue = self.config.waiting_slots if task.submission.profile.queues else 0
        return self._slots_of(task).place(task, now, self.config.running_slots, queue)

    def _slots_of(self, task: SandboxTask) -> AccountSlots:
        owner = (task.submission.profile.provider, task.submission.account)
        return self._slots.setdefault(owner, AccountSlots())
