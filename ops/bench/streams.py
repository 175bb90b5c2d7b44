"""A thousand open event streams on one API process: memory, idle CPU, delay.

Measured with one stream per job for a thousand jobs, and with a thousand readers of all events.
"""

import asyncio
import json
import random
import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import uvloop
from ulid import ULID

from generation.job import Job, JobState
from generation.store import Store
from ops.bench.serving import serving_genq
from ops.bench.stores import MeasuredStore, added_key, stores
from ops.bench.usage import usage
from ops.bench.workspace import Workspace, temporary_workspace

STREAMS = 1000
#: Jobs ended per second, with one stream per job.
RATE = 100
#: Events sent to each reader of all events, two per second.
SHARED_EVENTS = 20
IDLE_SECONDS = 10
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """The API process under test."""

    port: int
    key: str
    pid: int


@dataclass
class StreamRecord:
    """When each job's end was committed, and when readers received it."""

    committed: dict[str, float] = field(default_factory=dict[str, float])
    received: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    @property
    def delays(self) -> list[float]:
        """Milliseconds from commit to reader, at least 0."""
        return [max(0, at - self.committed[job_id]) * 1000 for job_id, at in self.received]


def main() -> None:
    """Measure on SQLite and, if installed, on PostgreSQL; print a table."""
    print("| store | streams | memory of the API | a stream | idle CPU | commit to reader |")
    print("|---|---|---|---|---|---|")
    with temporary_workspace() as workspace:
        for store in stores(workspace):
            measure(workspace, store)


def measure(workspace: Workspace, store: MeasuredStore) -> None:
    key = added_key(store.url)
    for kind, work in (("one a job", of_jobs), ("everything, to each", of_all)):
        with serving_genq(workspace, store.url) as api:
            row = uvloop.run(work(store.url, ApiTarget(api.port, key, api.pid)))
        print(f"| {store.name} | {STREAMS:,}, {kind} | {row} |", flush=True)


async def of_jobs(url: str, api: ApiTarget) -> str:
    store = Store(url)
    try:
        jobs = [a_job() for _ in range(STREAMS)]
        await asyncio.gather(*(store.jobs.insert(job) for job in jobs))
        watched = StreamRecord()
        paths = [f"/v1/jobs/{job.id}/stream" for job in jobs]

        async def write() -> None:
            random.shuffle(jobs)
            for job in jobs:
                await end(store, job, watched)
                await asyncio.sleep(1 / RATE)

        return await watch(api, paths, watched, write, STREAMS)
    finally:
        await store.close()


async def of_all(url: str, api: ApiTarget) -> str:
    store = Store(url)
    try:
        jobs = [await store.jobs.insert(a_job()) for _ in range(SHARED_EVENTS)]
        watched = StreamRecord()

        async def write() -> None:
            for job in jobs:
                await end(store, job, watched)
                await asyncio.sleep(0.5)

        paths = ["/v1/events/stream"] * STREAMS
        return await watch(api, paths, watched, write, STREAMS * SHARED_EVENTS)
    finally:
        await store.close()


async def watch(
    api: ApiTarget,
    paths: list[str],
    watched: StreamRecord,
    write: Callable[[], Awaitable[None]],
    expected: int,
) -> str:
    before = usage(api.pid).memory_bytes
    opened: list[asyncio.Event] = [asyncio.Event() for _ in paths]
    readers = [
        asyncio.create_task(read(api, path, event, watched))
        for path, event in zip(paths, opened, strict=True)
    ]
    await asyncio.gather(*(each.wait() for each in opened))
    await asyncio.sleep(2)
    held = usage(api.pid)
    await asyncio.sleep(IDLE_SECONDS)
    idle = (usage(api.pid).cpu_seconds - held.cpu_seconds) / IDLE_SECONDS
    await write()
    until = monotonic() + TIMEOUT_SECONDS
    while len(watched.received) < expected and monotonic() < until:
        await asyncio.sleep(0.1)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    each = (held.memory_bytes - before) / len(paths) / 1024
    delays = sorted(watched.delays)
    lost = "" if len(delays) == expected else f" ({expected - len(delays)} not received)"
    p95 = delays[int(len(delays) * 0.95)]
    return (
        f"{before / 2**20:.0f} → {held.memory_bytes / 2**20:.0f} MB | {each:.0f} KB"
        f" | {idle:.0%} of a core | median {statistics.median(delays):.0f}, p95 {p95:.0f},"
        f" last {delays[-1]:.0f} ms{lost}"
    )


async def read(api: ApiTarget, path: str, opened: asyncio.Event, watched: StreamRecord) -> None:
    """A minimal SSE client that recognizes only the ends of jobs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {api.key}\r\n\r\n"
    writer.write(head.encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"retry:"):
                opened.set()
            elif line.startswith(b'data: {"type":"job.canceled"'):
                job: Mapping[str, str] = json.loads(line[6:])["data"]
                watched.received.append((job["id"], monotonic()))
    finally:
        writer.close()


async def end(store: Store, job: Job, watched: StreamRecord) -> None:
    def canceled(fresh: Job) -> Job:
        now = datetime.now(UTC)
        return fresh.move(JobState.CANCELED, now, finished_at=now, wake_at=None)

    await store.jobs.change(job.id, canceled)
    watched.committed[job.id] = monotonic()


def a_job() -> Job:
    now = datetime.now(UTC)
    return Job(
        id=f"job_{ULID()}",
        tenant="bench",
        api_key_id="bench",
        provider="kling",
        operation="text2video",
        input={"prompt": "a lighthouse at dusk, slow pan", "duration": 5},
        created_at=now,
        updated_at=now,
        deadline=now + timedelta(hours=1),
    )
