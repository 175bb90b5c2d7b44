"""
The submit path: orders a second that one API process makes durable, between the floor (the same
server, storing nothing) and the plain stack; how late it is at a steady rate; and reads a second.

All run on the same store and broker, in turn, several times; what counts is each turn's ratios.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from generation.store import Store, migrate, new_key
from generation.webhooks.signature import new_secret
from ops.bench.stores import stores
from ops.bench.wrk import loaded_by_wrk
from ops.stack.broker import BrokerProcess, local_broker
from ops.stack.keeper import Keeper, kill_group
from ops.stack.ports import free_port

CONNECTIONS = 64
SECONDS = 6
TURNS = 3
RATE = 500
READ = 200
START_SECONDS = 30
ORDER: Mapping[str, Any] = {
    "provider": "kling",
    "operation": "text2video",
    "input": {"prompt": "a lighthouse at dusk, slow pan", "duration": 5},
    "webhook": {"url": "https://example.com/hook"},
}
Measured = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """All of them, measured one right after the other."""

    floor: Measured
    genq: Measured
    plain: Measured
    #: genq at `RATE` orders a second, and its reads.
    steady: Measured
    reads: Measured

    def ratio(self, to: str) -> float:
        return self.genq["per_second"] / getattr(self, to)["per_second"]


def main() -> None:
    """Measure on SQLite and, where it is installed, on PostgreSQL; print a table."""
    by = "wrk" if shutil.which("wrk") else "ops.bench.load"
    print(f"Closed loops by {by}, {CONNECTIONS} connections; the steady rate by ops.bench.load.\n")
    print(
        "| store | floor | genq orders/s | plain | genq / floor | genq / plain"
        f" | median, p99 at {RATE}/s | reads/s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keeper = stack.enter_context(Keeper())
        broker = stack.enter_context(BrokerProcess(local_broker(folder / "b", os.environ), keeper))
        for name, url in stores(stack, folder, keeper):
            if url is None:
                print(f"| {name} | not installed | | | | | | |")
            else:
                show(name, measure(folder, keeper, broker, url))


def show(name: str, turns: list[Turn]) -> None:
    def median(side: str, field: str) -> float:
        return statistics.median(getattr(turn, side)[field] for turn in turns)

    def ratios(to: str, form: str) -> str:
        return ", ".join(format(turn.ratio(to), form) for turn in turns)

    print(
        f"| {name} | {median('floor', 'per_second'):,.0f} | {median('genq', 'per_second'):,.0f}"
        f" | {median('plain', 'per_second'):,.0f} | {ratios('floor', '.0%')}"
        f" | {ratios('plain', '.1f')} | {median('steady', 'median'):.1f},"
        f" {median('steady', 'p99'):.1f} ms | {median('reads', 'per_second'):,.0f} |",
        flush=True,
    )


def measure(folder: Path, keeper: Keeper, broker: BrokerProcess, url: str) -> list[Turn]:
    migrate(url)
    key = asyncio.run(added_key(url))
    port = free_port()
    genq = {
        "GENQ_DATABASE_URL": url,
        "GENQ_REDIS_URL": broker.url,
        "GENQ_STATION_URL": "http://127.0.0.1:9",
        "GENQ_STATION_KEY": "none",
        "GENQ_API_PORT": str(port),
    }
    plain = {"PLAIN_DATABASE_URL": plain_url(url), "PLAIN_REDIS_URL": broker.url}
    genq_command = ["-c", "from ops.cli import main; main()", "api"]
    plain_command = ["-m", "uvicorn", "ops.bench.plain:app", "--no-access-log", f"--port={port}"]
    jobs = f"http://127.0.0.1:{port}/v1/jobs"
    turns: list[Turn] = []
    for _ in range(TURNS):
        with serving(folder, keeper, ["-m", "ops.bench.floor"], genq, port):
            floor = closed(folder, [jobs], key, order=True)
        with serving(folder, keeper, genq_command, genq, port):
            ours = closed(folder, [jobs], key, order=True)
            steady = loaded(folder, [jobs], key, order=True, rate=RATE)
            reads = closed(folder, [f"{jobs}/{i}" for i in newest(jobs, key)], key, order=False)
        broker.flushall()
        with serving(folder, keeper, plain_command, plain, port):
            theirs = closed(folder, [jobs], key, order=True)
        broker.flushall()
        turns.append(Turn(floor, ours, theirs, steady, reads))
    return turns


def newest(jobs: str, key: str) -> list[str]:
    """The ids of as many jobs as are read."""
    ids: list[str] = []
    address = f"{jobs}?limit=100"
    while len(ids) < READ:
        request = urllib.request.Request(address, headers={"authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = json.load(answer)
        ids += [job["id"] for job in page["data"]]
        address = f"{jobs}?limit=100&cursor={page['next_cursor']}"
    return ids


def plain_url(url: str) -> str:
    """The plain stack writes beside genq, not into its file."""
    return url.replace("bench.db", "plain.db")


async def added_key(url: str) -> str:
    store, key = Store(url), new_key()
    try:
        await store.keys.add("bench", key, new_secret(), datetime.now(UTC))
    finally:
        await store.close()
    return key


@contextmanager
def serving(
    folder: Path, keeper: Keeper, command: list[str], environment: Mapping[str, str], port: int
) -> Generator["subprocess.Popen[bytes]"]:
    """One server process that answers, for as long as the block lasts."""
    with (folder / "server.log").open("ab") as log:
        process = keeper.launch(
            [sys.executable, *command], output=log, env={**os.environ, **environment}
        )
    try:
        wait_for_answer(f"http://127.0.0.1:{port}/healthz", process, folder / "server.log")
        yield process
    finally:
        process.terminate()
        process.wait(15)
        kill_group(process.pid)
        keeper.release(process.pid)


def wait_for_answer(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            sleep(0.05)
    sys.exit(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def closed(
    folder: Path, urls: Sequence[str], key: str, *, order: bool, seconds: int = SECONDS
) -> Measured:
    """As much as it can take, after a warm-up; by wrk where there is one, for it costs least."""
    body = json.dumps(ORDER) if order else None
    if shutil.which("wrk"):
        loaded_by_wrk(folder, urls, key, body, connections=CONNECTIONS, seconds=1)
        found = loaded_by_wrk(folder, urls, key, body, connections=CONNECTIONS, seconds=seconds)
        return refusing(found)
    return loaded(folder, urls, key, order=order, rate=0)


def loaded(folder: Path, urls: Sequence[str], key: str, *, order: bool, rate: float) -> Measured:
    """What a load process of our own measured; a warm-up goes before."""
    command = [sys.executable, "-m", "ops.bench.load", *urls, "--key", key, "--rate", str(rate)]
    command += ["--connections", str(CONNECTIONS)]
    if order:
        (folder / "order.json").write_text(json.dumps(ORDER))
        command += ["--body", str(folder / "order.json")]
    subprocess.run([*command, "--seconds", "1"], check=True, stdout=subprocess.DEVNULL)
    answer = subprocess.run(
        [*command, "--seconds", str(SECONDS)], check=True, capture_output=True, text=True
    )
    return refusing(json.loads(answer.stdout))


def refusing(measured: Measured) -> Measured:
    if measured["refused"]:
        sys.exit(f"the server refused: {measured['refused']}")
    return measured
