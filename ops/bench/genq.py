"""
genq itself on the shared ground: one API, one worker with the default settings, PostgreSQL.
"""

import asyncio
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from generation.store import Store, migrate, new_key
from generation.webhooks.signature import new_secret
from ops.bench.ground import Ground, answers, running, wait_until
from ops.stack.ports import free_port
from tests.services.postgres import Cluster
from tests.services.postgres_installation import installation

PROMPT = "a lighthouse at dusk, slow pan"
#: The most that one request may order.
BATCH = 100
STATIONS = """
[[stations]]
name = "sandbox"
url = "{url}"
speed = {speed}
keys = [{{ name = "main", env = "BENCH_STATION_KEY" }}]
[stations.speaks]
kling = {{ dialect = "kling.relay" }}
"""
#: The station is announced this much quicker than usual; a Kling video usually takes two minutes.
SPEED = 24


@dataclass(frozen=True, slots=True)
class Genq:
    """A deployment that has seen a job through."""

    api: str
    key: str
    pids: Mapping[str, int]
    database: int


@contextmanager
def running_genq(shared: Ground) -> Generator[Genq]:
    """One API, one worker with the default settings and PostgreSQL, until the block ends."""
    with ExitStack() as stack:
        server = stack.enter_context(
            Cluster(stack.enter_context(installation(os.environ)), "bench", shared.keeper)
        )
        migrate(server.url)
        key = asyncio.run(added_key(server.url))
        stations = shared.folder / "stations.toml"
        stations.write_text(STATIONS.format(url=shared.station, speed=SPEED))
        port = free_port()
        environment = {
            "GENQ_DATABASE_URL": server.url,
            "GENQ_REDIS_URL": shared.broker.url,
            "GENQ_STATIONS_FILE": str(stations),
            "GENQ_API_PORT": str(port),
            "GENQ_WEBHOOK_ALLOW_HTTP": "true",
            "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
            "BENCH_STATION_KEY": "sk-bench",
        }
        command = [sys.executable, "-c", "from ops.cli import main; main()"]
        pids = {
            program: stack.enter_context(
                running(shared.folder, shared.keeper, [*command, program], environment)
            )
            for program in ("api", "worker")
        }
        genq = Genq(f"http://127.0.0.1:{port}", key, pids, server.pid)
        wait_until(lambda: answers(f"{genq.api}/healthz"), "the API")
        shared.hook.told.clear()
        order(genq, shared.hook.url, 1)
        wait_until(lambda: bool(shared.hook.told), "genq to begin")
        shared.hook.told.clear()
        yield genq


async def added_key(url: str) -> str:
    store, key = Store(url), new_key()
    try:
        await store.keys.add("bench", key, new_secret(), datetime.now(UTC))
    finally:
        await store.close()
    return key


def order(genq: Genq, hook: str, count: int) -> None:
    """Order so many jobs, a hundred with each request."""
    body = {
        "provider": "kling",
        "operation": "text2video",
        "input": {"prompt": PROMPT},
        "webhook": {"url": hook},
    }
    headers = {"authorization": f"Bearer {genq.key}"}
    with httpx.Client(trust_env=False, headers=headers) as client:
        for first in range(0, count, BATCH):
            orders = {"jobs": [body] * min(BATCH, count - first)}
            client.post(f"{genq.api}/v1/jobs/batch", json=orders, timeout=60).raise_for_status()
