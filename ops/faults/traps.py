"""Where a process can be made to die: functions of genq, each wrapped from outside.

A trap is set by a file of its name in the deployment's trap folder; whichever process comes past
first takes the file, says whom it was busy with, and does to itself what the file says. genq itself
knows nothing of this: `ops.faults.launcher` wraps the functions before it starts the real program.
"""

import asyncio
import functools
import importlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: A process that was sent SIGTERM stays at the place for so long, so that it ends in mid-step.
LINGER_SECONDS = 1.0

Call = tuple[Any, ...]
#: Whom a call is about: the id of a job, of its task upstream, or of a delivery. Empty for one that
#: the trap lets pass.
About = Callable[[Call, Any], str]


@dataclass(frozen=True, slots=True)
class Trap:
    """A place in genq: before a function is called, or after it has answered."""

    module: str
    function: str
    after: bool
    about: About


def job_of(call: Call, _: Any) -> str:
    return str(call[2].id)


def first_of_birth(call: Call, _: Any) -> str:
    return str(call[1].jobs[0].id)


def placed_job(_: Call, placed: Any) -> str:
    return str(placed.jobs[0].id)


def task_of(call: Call, _: Any) -> str:
    return str(call[2].upstream_id)


def first_task_of(call: Call, _: Any) -> str:
    return str(call[2][0])


def ended_task(call: Call, answer: Any) -> str:
    """Only a look that brought the assets."""
    return str(call[2].upstream_id) if type(answer.answer).__name__ == "Succeeded" else ""


def ended_task_of(_: Call, answers: Any) -> str:
    """Only a look at many that brought the assets of one."""
    ended = (i for i, each in answers.items() if type(each.answer).__name__ == "Succeeded")
    return str(next(ended, ""))


def ended_job(_: Call, change: Any) -> str:
    """Only a save that was the job's end."""
    if not change or not change.moved or not change.after.is_terminal:
        return ""
    return str(change.after.id)


def delivered_job(call: Call, _: Any) -> str:
    return str(call[1].job_id)


TRAPS: Mapping[str, Trap] = {
    "order read, not written": Trap(
        "generation.store.jobs.insert", "JobInserter.place", False, first_of_birth
    ),
    "committed, not nudged": Trap(
        "generation.store.jobs.store", "JobStore.place", True, placed_job
    ),
    "claimed, not sent": Trap("generation.upstream.client", "Upstream.submit", False, job_of),
    "answered, not saved": Trap("generation.upstream.client", "Upstream.submit", True, job_of),
    "about to look": Trap("generation.upstream.client", "Upstream.query", False, task_of),
    "about to look at many": Trap(
        "generation.upstream.client", "Upstream.query_batch", False, first_task_of
    ),
    "asset known, not saved": Trap(
        "generation.upstream.client", "Upstream.query", True, ended_task
    ),
    "assets known, not saved": Trap(
        "generation.upstream.client", "Upstream.query_batch", True, ended_task_of
    ),
    "ended, not told": Trap("worker.runtime.job_saver", "JobSaver.save", True, ended_job),
    "about to tell": Trap("generation.webhooks.sender", "Sender.send", False, delivered_job),
    "told, not saved": Trap("generation.webhooks.sender", "Sender.send", True, delivered_job),
}


@dataclass(frozen=True, slots=True)
class Sprung:
    """A trap that was sprung: by which process, busy with whom, when (seconds since 1970)."""

    trap: str
    action: str
    pid: int
    about: str
    at: float


class TrapFolder:
    """The traps of one deployment, as the one who sets them sees them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        folder.mkdir(exist_ok=True)

    def set(self, trap: str, action: str) -> None:
        """Have the next process at this place do `kill` or `term` to itself."""
        fresh = self.path / ".new"
        fresh.write_text(action)
        fresh.rename(self.path / trap)

    def unset(self, trap: str) -> None:
        (self.path / trap).unlink(missing_ok=True)

    def sprung(self) -> list[Sprung]:
        """What was sprung since this was last asked."""
        found = sorted(self.path.glob("*.sprung"))
        read = [Sprung(**json.loads(path.read_text())) for path in found]
        for path in found:
            path.unlink()
        return sorted(read, key=lambda sprung: sprung.at)


def lay(folder: Path, traps: Mapping[str, Trap] = TRAPS) -> None:
    """Wrap every function in this process.

    Raises `AttributeError` where genq no longer has one: a trap nobody can step into would prove
    nothing.
    """
    for name, trap in traps.items():
        owner, function = place(trap)
        setattr(owner, function, wrapped(getattr(owner, function), name, trap, folder))


def place(trap: Trap) -> tuple[Any, str]:
    """The class a trap is laid in, and the name of its function."""
    owner: Any = importlib.import_module(trap.module)
    *path, function = trap.function.split(".")
    for part in path:
        owner = getattr(owner, part)
    getattr(owner, function)
    return owner, function


def wrapped(
    inner: Callable[..., Awaitable[Any]], name: str, trap: Trap, folder: Path
) -> Callable[..., Awaitable[Any]]:
    """The function, with a trap before or behind it."""

    @functools.wraps(inner)
    async def watched(*call: Any, **more: Any) -> Any:
        if not trap.after:
            await step(folder, name, trap.about(call, None))
            return await inner(*call, **more)
        answer = await inner(*call, **more)
        await step(folder, name, trap.about(call, answer))
        return answer

    return watched


async def step(folder: Path, name: str, about: str) -> None:
    """Come past a place: nothing, or the end of this process."""
    if not about:
        return
    try:
        mine = folder / f".{os.getpid()}"
        (folder / name).rename(mine)
    except FileNotFoundError:
        return
    action = mine.read_text()
    note = {"trap": name, "action": action, "pid": os.getpid(), "about": about, "at": time.time()}
    mine.write_text(json.dumps(note))
    mine.rename(folder / f"{time.time_ns()}.sprung")
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(LINGER_SECONDS)
