"""Samples one server process: `python -m ops.bench.sampled_server baseline|genq FILE`.

SIGUSR1 starts a measurement; SIGUSR2 ends it and writes FILE: CPU seconds of each thread, from the
kernel, and stacks of the main thread, one per tick of CPU time.
"""

import json
import signal
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path
from types import FrameType

from api import server
from generation.settings import Settings
from ops.bench import baseline
from ops.bench.usage import TICKS

#: The shortest interval; the kernel's tick is longer.
EVERY_SECONDS = 0.001

Stack = tuple[str, ...]


class Sampler:
    """Counts stacks of the main thread, each from outermost to innermost call."""

    def __init__(self, answer: Path) -> None:
        self._answer = answer
        self._stacks: Counter[Stack] = Counter()
        self._before: dict[str, float] = {}
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGUSR2, self._end)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        del number
        stack: list[str] = []
        while frame is not None:
            stack.append(f"{frame.f_globals.get('__name__', '')}:{frame.f_code.co_name}")
            frame = frame.f_back
        self._stacks[tuple(reversed(stack))] += 1

    def _begin(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stacks.clear()
        self._before = thread_seconds()
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)

    def _end(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.setitimer(signal.ITIMER_PROF, 0)
        spent = {
            name: seconds - self._before.get(name, 0.0)
            for name, seconds in thread_seconds().items()
        }
        stacks = [[";".join(stack), count] for stack, count in self._stacks.items()]
        written = self._answer.with_suffix(".part")
        written.write_text(json.dumps({"threads": spent, "stacks": stacks}))
        written.rename(self._answer)


def thread_seconds() -> dict[str, float]:
    """Return CPU seconds of this process's threads so far, by name."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    spent: defaultdict[str, float] = defaultdict(float)
    for task in Path("/proc/self/task").iterdir():
        numbers = (task / "stat").read_text().rpartition(")")[2].split()
        spent[names.get(int(task.name), "other")] += (int(numbers[11]) + int(numbers[12])) / TICKS
    return dict(spent)


if __name__ == "__main__":
    which, answer = sys.argv[1:]
    Sampler(Path(answer))
    settings = Settings()
    if which == "baseline":
        baseline.serve(settings)
    else:
        server.run(settings)
