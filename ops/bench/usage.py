"""
What processes use: CPU seconds and memory, from /proc.
"""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process and all its descendants, until now."""

    cpu_seconds: float
    memory_bytes: int


def usage(pid: int) -> Usage:
    """Shared memory is counted once for each process, so a database's sum is too high."""
    tree = [pid, *descendants(pid)]
    used = [numbers for numbers in map(stat, tree) if numbers]
    cpu = sum(int(n[11]) + int(n[12]) for n in used) / TICKS
    return Usage(cpu, sum(int(n[21]) for n in used) * PAGE)


def descendants(pid: int) -> list[int]:
    """Processes come and go while this is counted; those that are gone do not count."""
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
    """The fields of /proc/PID/stat from the third on; empty where the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
