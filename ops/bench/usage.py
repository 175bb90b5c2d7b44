"""CPU seconds and memory of processes, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU and memory of a process and all its descendants, until now."""

    cpu_seconds: float
    memory_bytes: int


def usage(pid: int) -> Usage:
    """Return the usage. Shared memory counts once per process, so a database's sum is too high."""
    tree = [pid, *descendants(pid)]
    used = [numbers for numbers in map(stat, tree) if numbers]
    cpu = sum(int(n[11]) + int(n[12]) for n in used) / TICKS
    return Usage(cpu, sum(int(n[21]) for n in used) * PAGE)


def descendants(pid: int) -> list[int]:
    """Return the pids of all descendants; processes that exit meanwhile are skipped."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (numbers := stat(int(entry.name))):
            parents.setdefault(int(numbers[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
