"""Small real programs for stacks; each writes its events to a shared log."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

# argv: name, folder, habits. Imports no site-packages, so it starts in a few milliseconds.
SOURCE = """
import os, pathlib, signal, subprocess, sys, time

name, folder, *habits = sys.argv[1:]
folder = pathlib.Path(folder)

def tell(word):
    with open(folder / "diary", "a") as diary:
        diary.write(name + " " + word + "\\n")

def stop(signum, frame):
    tell("got " + signal.Signals(signum).name)
    if "stubborn" not in habits:
        sys.exit(0)

for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(signum, stop)
tell("started")
print("hello from " + name, flush=True)
(folder / (name + ".pid")).write_text(str(os.getpid()))
if "parent" in habits:
    sleeper = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
    (folder / (name + ".child")).write_text(str(sleeper.pid))
if "broken" in habits:
    print("no money left", flush=True)
    sys.exit(3)
if "slow" in habits:
    time.sleep(0.2)
tell("ready")
(folder / (name + ".ready")).touch()
while True:
    signal.pause()
"""


def argv(name: str, folder: Path, *habits: str) -> list[str]:
    """
    The command line of a program called `name`.

    Habits: `stubborn` survives signals, `parent` has a child in its process group, `broken` prints
    a line and exits with 3, `slow` takes 0.2 s to become ready.
    """
    return [sys.executable, "-I", "-S", "-c", SOURCE, name, str(folder), *habits]


def is_ready(name: str, folder: Path) -> Callable[[], Awaitable[bool]]:
    """Ready when the program has said so in the folder."""

    async def ready() -> bool:
        return (folder / f"{name}.ready").exists()

    return ready


def diary(folder: Path) -> list[str]:
    """What happened to all programs, in order."""
    file = folder / "diary"
    return file.read_text().splitlines() if file.exists() else []


def pid_of(name: str, folder: Path, kind: str = "pid") -> int:
    """The process id of a program, or of its child with the kind `child`."""
    return int((folder / f"{name}.{kind}").read_text())
