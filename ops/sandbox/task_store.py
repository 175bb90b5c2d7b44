"""The stored upstream tasks; beyond a limit, the oldest ended ones are removed."""

from collections.abc import Iterator

from ops.sandbox.tasks import SandboxTask

#: Share of tasks beyond the limit that may gather before a sweep, so that few submits cause one.
SLACK_SHARE = 0.1


class TaskStore:
    """Tasks by id and, at providers with unique references, by the account's own reference."""

    def __init__(self) -> None:
        self._tasks: dict[str, SandboxTask] = {}
        self._by_reference: dict[tuple[str, str, str], SandboxTask] = {}
        self._next_sweep = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: SandboxTask, now: float, kept: int) -> None:
        """Store a task; remove the oldest ended ones if there are too many."""
        self._tasks[task.id] = task
        if task.submission.profile.unique_references and task.submission.reference:
            self._by_reference[_own_name(task)] = task
        if len(self._tasks) > max(kept * (1 + SLACK_SHARE), self._next_sweep):
            self._forget_ended(now, kept)
            self._next_sweep = int(len(self._tasks) * (1 + SLACK_SHARE))

    def get(self, task_id: str) -> SandboxTask | None:
        """The task with this id, of any provider."""
        return self._tasks.get(task_id)

    def by_reference(self, provider: str, account: str, reference: str) -> SandboxTask | None:
        """The task with this reference of the account, at a provider with unique references."""
        return self._by_reference.get((provider, account, reference))

    def search(self, name: str) -> SandboxTask | None:
        """The task with this id, else the newest with this reference. Slow if the id is unknown."""
        named = (task for task in self.newest() if task.submission.reference == name)
        return self._tasks.get(name) or next(named, None)

    def newest(self) -> Iterator[SandboxTask]:
        """All tasks, newest first. Do not use the iterator across an await."""
        return reversed(self._tasks.values())

    def _forget_ended(self, now: float, kept: int) -> None:
        surplus = len(self._tasks) - kept
        ended = (task for task in self._tasks.values() if task.has_ended(now))
        for task in [task for task, _ in zip(ended, range(surplus), strict=False)]:
            del self._tasks[task.id]
            self._by_reference.pop(_own_name(task), None)


def _own_name(task: SandboxTask) -> tuple[str, str, str]:
    return task.submission.profile.provider, task.submission.account, task.submission.reference
