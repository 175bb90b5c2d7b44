"""
The submit path: orders a second that one API process makes durable, against the plain stack.

Both run on the same store and broker, in turn, several times; what counts is each pair's ratio.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from generation.store import Store, migrate, new_key
from generation.webhooks.signature import new_secret
from ops.stack.broker import BrokerProcess, local_broker
from ops.stack.keeper import Keeper, kill_group
from ops.stack.ports import free_port
from tests.services.postgres import Cluster
from tests.services.postgres_installation import PostgresUnavailable, installation

CONNECTIONS = 64
SECONDS = 6
PAIRS = 3
START_SECONDS = 30
ORDER: Mapping[str, Any] = {
    "provider": "kling",
    "operation": "text2video",
    "input": {"prompt": "a lighthouse at dusk, slow pan", "duration": 5},
    "webhook": {"url": "https://example.com/hook"},
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Orders a second of both, measured one right after the other."""

    genq: Mapping[str, Any]
    plain: Mapping[str, Any]

    @property
    def ratio(self) -> float:
        return self.genq["per_second"] / self.plain["per_second"]


def main() -> None:
    """Measure on SQLite and, where it is installed, on PostgreSQL; print a table."""
    print("| store | genq orders/s | plain orders/s | ratio, pair by pair | p99 genq / plain |")
    print("|---|---|---|---|---|")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keeper = stack.enter_context(Keeper())
        broker = stack.enter_context(BrokerProcess(local_broker(folder / "b", os.environ), keeper))
        show("SQLite", measure(folder, keeper, broker, f"sqlite+aiosqlite:///{folder}/bench.db"))
        try:
            found = stack.enter_context(installation(os.environ))
        except PostgresUnavailable:
            print("| PostgreSQL | not installed | | | |")
            return
        cluster = stack.enter_context(Cluster(found, "bench", keeper, durable=True))
        show("PostgreSQL", measure(folder, keeper, broker, cluster.create_database("bench")))


def show(name: str, pairs: list[Pair]) -> None:
    def median(side: str, field: str) -> float:
        return statistics.median(getattr(pair, side)[field] for pair in pairs)

    ratios = ", ".join(f"{pair.ratio:.1f}" for pair in pairs)
    print(
        f"| {name} | {median('genq', 'per_second'):,.0f} | {median('plain', 'per_second'):,.0f}"
        f" | {ratios} | {median('genq', 'p99'):.0f} / {median('plain', 'p99'):.0f} ms |",
        flush=True,
    )


def measure(folder: Path, keeper: Keeper, broker: BrokerProcess, url: str) -> list[Pair]:
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
    pairs: list[Pair] = []
    for _ in range(PAIRS):
        with serving(folder, keeper, genq_command, genq, port):
            ours = loaded(folder, port, key)
        broker.flushall()
        with serving(folder, keeper, plain_command, plain, port):
            theirs = loaded(folder, port, key)
        broker.flushall()
        pairs.append(Pair(ours, theirs))
    return pairs


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
) -> Generator[None]:
    """One server process that answers, for as long as the block lasts."""
    with (folder / "server.log").open("ab") as log:
        process = keeper.launch(
            [sys.executable, *command], output=log, env={**os.environ, **environment}
        )
    try:
        wait_for_answer(f"http://127.0.0.1:{port}/healthz", process, folder / "server.log")
        yield
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


def loaded(folder: Path, port: int, key: str) -> Mapping[str, Any]:
    """What a load process of its own measured; a warm-up goes before."""
    body = folder / "order.json"
    body.write_text(json.dumps(ORDER))
    command = [sys.executable, "-m", "ops.bench.load", f"http://127.0.0.1:{port}/v1/jobs"]
    command += ["--connections", str(CONNECTIONS), "--body", str(body), "--key", key]
    subprocess.run([*command, "--seconds", "1"], check=True, stdout=subprocess.DEVNULL)
    answer = subprocess.run(
        [*command, "--seconds", str(SECONDS)], check=True, capture_output=True, text=True
    )
    measured = json.loads(answer.stdout)
    if measured["refused"]:
        sys.exit(f"the server refused orders: {measured['refused']}")
    return measured
