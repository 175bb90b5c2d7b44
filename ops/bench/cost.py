"""
Where the microseconds of an order go: CPU of one API process by part, beside the floor's, and of a
read. CPU is measured, not throughput, so a machine that does other things too does not falsify it
much; both run in turn all the same.
"""

import json
import os
import signal
import statistics
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep

from ops.bench.serving import closed, serving_genq
from ops.bench.site import Site, site
from ops.bench.stores import added_key, stores
from ops.bench.submit import newest

TURNS = 3
PATIENCE_SECONDS = 10
LOOP = "event loop, sockets, drivers in C"
#: A stack belongs to the first part of which it has a frame, by how `module:function` begins.
PARTS: Mapping[str, tuple[str, ...]] = {
    "HTTP: writing the answer": ("uvicorn.protocols.http.httptools_impl:send",),
    "who is calling": ("api.auth.api_keys",),
    "the message to a worker": ("generation.queue", "redis"),
    "the row in Flower": ("generation.flower_events", "generation.flower_publisher"),
    "jobs as rows, rows as jobs": (
        "generation.store.jobs.bulk_insert",
        "generation.store.jobs.rows",
    ),
    "SQLAlchemy and the driver": ("sqlalchemy", "aiosqlite", "asyncpg", "generation.store.sqlite"),
    "group commit: transactions, tallies, limits": ("generation.store",),
    "the answer": (
        "generation.job_document",
        "api.http.responses",
        "api.jobs.poll_hints",
        "api.jobs.submit:submit_response",
        "starlette.responses",
    ),
    "reading and checking the order": (
        "api.jobs.submit",
        "api.jobs.admission",
        "api.jobs.submission",
        "api.jobs.endpoints",
    ),
    "HTTP: reading the request, the way to the endpoint": (
        "uvicorn",
        "api",
        "starlette",
        "fastapi",
    ),
}
#: What is only around the others, and part of none.
AROUND = ("generation.store.engine.db_errors:again_if_cut",)

Cost = Mapping[str, float]


def main() -> None:
    """Measure on SQLite and, where it is installed, on PostgreSQL; print a table for each."""
    with site() as ground:
        for store in stores(ground):
            show(store.name, measure(ground, store.url))


def show(name: str, costs: Mapping[str, list[Cost]]) -> None:
    print(f"\n| {name}: µs of CPU | {' | '.join(costs)} |\n|---|{'---|' * len(costs)}")
    parts = (*PARTS, "SQLite, in its thread", LOOP, "together")
    for part in parts:
        medians = [statistics.median(turn.get(part, 0.0) for turn in costs[of]) for of in costs]
        if any(medians):
            print(f"| {part} | {' | '.join(f'{median:.0f}' for median in medians)} |", flush=True)


def measure(ground: Site, url: str) -> Mapping[str, list[Cost]]:
    key, answer = added_key(url), ground.folder / "sampled.json"
    found: dict[str, list[Cost]] = {"floor": [], "order": [], "read": []}
    for _ in range(TURNS):
        for which in ("floor", "genq"):
            command = ["-m", "ops.bench.sampled", which, str(answer)]
            with serving_genq(ground, url, command) as api:
                jobs = api.jobs

                def sampled(urls: list[str], *, order: bool, pid: int = api.pid) -> Cost:
                    closed(ground.folder, urls, key, order=order, seconds=1)
                    os.kill(pid, signal.SIGUSR1)
                    load = closed(ground.folder, urls, key, order=order)
                    os.kill(pid, signal.SIGUSR2)
                    return cost(taken(answer), load["requests"])

                found["floor" if which == "floor" else "order"].append(sampled([jobs], order=True))
                if which == "genq":
                    ids = newest(jobs, key)
                    found["read"].append(sampled([f"{jobs}/{each}" for each in ids], order=False))
            ground.broker.flushall()
    return found


def taken(answer: Path) -> Mapping[str, Mapping[str, float]]:
    """What the server has measured, once it has written it."""
    deadline = monotonic() + PATIENCE_SECONDS
    while not answer.exists() and monotonic() < deadline:
        sleep(0.05)
    found = json.loads(answer.read_text())
    answer.unlink()
    return {"threads": found["threads"], "stacks": dict(found["stacks"])}


def cost(sampled: Mapping[str, Mapping[str, float]], requests: int) -> Cost:
    """Microseconds a request, by part. What was found in no part is the loop's."""
    threads, stacks = sampled["threads"], sampled["stacks"]
    together = sum(threads.values()) * 1e6 / requests
    # Whichever thread a tick was for, it found the main one somewhere: by its own share.
    each = threads["MainThread"] * 1e6 / requests / sum(stacks.values())
    parts: defaultdict[str, float] = defaultdict(float)
    for stack, count in stacks.items():
        if part := part_of(stack.split(";")):
            parts[part] += count * each
    spent = {name: seconds * 1e6 / requests for name, seconds in threads.items()}
    parts[LOOP] = spent.pop("MainThread") - sum(parts.values())
    parts["SQLite, in its thread"] += sum(spent.values())
    return {**parts, "together": together}


def part_of(stack: list[str]) -> str | None:
    # The outermost frames are those of the command itself.
    outer = max((i for i, f in enumerate(stack) if f == "asyncio.runners:run"), default=0)
    served = [frame for frame in stack[outer + 1 :] if frame not in AROUND]
    for part, beginnings in PARTS.items():
        if any(frame.startswith(beginnings) for frame in served):
            return part
    return None
