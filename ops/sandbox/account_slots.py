"""The slots one account has at one provider: some tasks run, some wait, the rest are refused."""

from collections import deque
from heapq import heapify, heappop, heappush

from ops.sandbox.tasks import SandboxTask


class AccountSlots:
    """Running and waiting tasks. They are updated on each call, so no timer is needed."""

    def __init__(self) -> None:
        self._running: list[tuple[float, str, SandboxTask]] = []
        self._waiting: deque[SandboxTask] = deque()

    def place(self, task: SandboxTask, now: float, slots: int, queue: int) -> int | None:
        """Start the task (returns 0) or queue it (returns its position, from 1).

        None: the queue is full.
        """
        self.settle(now, slots)
        if len(self._running) < slots:
            self._start(task, now)
            return 0
        if len(self._waiting) >= queue:
            return None
        self._waiting.append(task)
        return len(self._waiting)

    def settle(self, now: float, slots: int) -> None:
        """Give each place that became free since the last time to whoever waited, back then."""
        while self._running and self._running[0][0] <= now:
            freed_at, _, _ = heappop(self._running)
            if self._waiting and len(self._running) < slots:
                self._start(self._waiting.popleft(), freed_at)
        while self._waiting and len(self._running) < slots:
            self._start(self._waiting.popleft(), now)

    def leave(self, task: SandboxTask) -> None:
        """Remove a task that ended ahead of time."""
        self._running = [entry for entry in self._running if entry[2] is not task]
        heapify(self._running)
        if task in self._waiting:
            self._waiting.remove(task)

    def _start(self, task: SandboxTask, moment: float) -> None:
        task.start(moment)
        if task.ends_at is not None:
            heappush(self._running, (task.ends_at, task.id, task))
