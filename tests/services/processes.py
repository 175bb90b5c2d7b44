"""Which processes run on this machine? Read from /proc, or from `ps` where there is none."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process that has not ended. One that nobody has waited for yet (a zombie) has."""

    pid: int
    parent: int
    command: str


def running() -> dict[int, Process]:
    """Every process that has not ended, by its pid."""
    found = _from_proc() if (PROC / "self" / "stat").exists() else _from_ps()
    return {process.pid: process for process in found}


def descendants(pid: int) -> list[Process]:
    """The children of a process, theirs, and so on; not those whose own parent has ended."""
    table = running()
    found: list[Process] = []
    parents = {pid}
    while children := [one for one in table.values() if one.parent in parents]:
        found += children
        parents = {child.pid for child in children}
    return found


def is_running(pid: int) -> bool:
    """Whether a process exists and has not ended."""
    return pid in running()


def _from_proc() -> Iterator[Process]:
    for folder in PROC.iterdir():
        if folder.name.isdecimal() and (process := _read(folder)):
            yield process


def _read(folder: Path) -> Process | None:
    try:
        name, _, rest = (folder / "stat").read_text(errors="replace").rpartition(")")
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = rest.split()[:2]
    if state in "ZX":
        return None
    return Process(int(folder.name), int(parent), command.strip() or name.partition("(")[2])


def _from_ps() -> Iterator[Process]:
    table = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,stat=,command="], capture_output=True, text=True, check=True
    )
    for line in table.stdout.splitlines():
        pid, parent, state, *command = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield Process(int(pid), int(parent), "".join(command))
