"""CPU microseconds per submit, by component, beside the baseline's, and per read.

CPU time is measured, not throughput, so that other load distorts it little; the variants run in
turn anyway.
"""

import json
import os
import signal
import statistics
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep

from ops.bench.serving import closed_load, serving_genq
from ops.bench.stores import added_key, stores
from ops.bench.submit import newest
from ops.bench.workspace import Workspace, temporary_workspace

ROUNDS = 3
TIMEOUT_SECONDS = 10
LOOP = "event loop, sockets, drivers in C"
#: A stack counts for the first part with a matching frame: a prefix of `module:function`.
PARTS: Mapping[str, tuple[str, ...]] = {
    "HTTP: writing the response": ("uvicorn.protocols.http.httptools_impl:send",),
    "authentication": ("api.auth.api_keys",),
    "message to a worker": ("generation.queue", "redis"),
    "Flower event": ("generation.flower_events", "generation.flower_publisher"),
    "conversion of rows and jobs": (
        "generation.store.jobs.bulk_insert",
        "generation.store.jobs.rows",
    ),
    "SQLAlchemy and the driver": ("sqlalchemy", "aiosqlite", "asyncpg", "generation.store.sqlite"),
    "group commit: transactions, counters, limits": ("generation.store",),
    "response": (
        "generation.job_document",
        "api.http.responses",
        "api.jobs.poll_hints",
        "api.jobs.submit:submit_response",
        "starlette.responses",
    ),
    "reading and validating the request": (
        "api.jobs.submit",
        "api.jobs.admission",
        "api.jobs.submission",
        "api.jobs.endpoints",
    ),
    "HTTP: reading and routing the request": (
        "uvicorn",
        "api",
        "starlette",
        "fastapi",
    ),
}
#: Frames that wrap others and belong to no part.
IGNORED_FRAMES = ("generation.store.engine.db_errors:again_if_cut",)

Cost = Mapping[str, float]


def main() -> None:
    """Measure on SQLite and, if installed, on PostgreSQL; print a table for each."""
    with temporary_workspace() as workspace:
        for store in stores(workspace):
            show(store.name, measure(workspace, store.url))


def show(name: str, costs: Mapping[str, list[Cost]]) -> None:
    print(f"\n| {name}: µs of CPU | {' | '.join(costs)} |\n|---|{'---|' * len(costs)}")
    parts = (*PARTS, "SQLite thread", LOOP, "total")
    for part in parts:
        medians = [statistics.median(round_.get(part, 0.0) for round_ in costs[of]) for of in costs]
        if any(medians):
            print(f"| {part} | {' | '.join(f'{median:.0f}' for median in medians)} |", flush=True)


def measure(workspace: Workspace, url: str) -> Mapping[str, list[Cost]]:
    key, answer = added_key(url), workspace.folder / "sampled.json"
    found: dict[str, list[Cost]] = {"baseline": [], "submit": [], "read": []}
    for _ in range(ROUNDS):
        for which in ("baseline", "genq"):
            command = ["-m", "ops.bench.sampled_server", which, str(answer)]
            with serving_genq(workspace, url, command) as api:
                jobs = api.jobs

                def sampled(urls: list[str], *, order: bool, pid: int = api.pid) -> Cost:
                    closed_load(workspace.folder, urls, key, order=order, seconds=1)
                    os.kill(pid, signal.SIGUSR1)
                    load = closed_load(workspace.folder, urls, key, order=order)
                    os.kill(pid, signal.SIGUSR2)
                    return cost(read_samples(answer), load["requests"])

                found["baseline" if which == "baseline" else "submit"].append(
                    sampled([jobs], order=True)
                )
                if which == "genq":
                    ids = newest(jobs, key)
                    found["read"].append(sampled([f"{jobs}/{each}" for each in ids], order=False))
            workspace.broker.flushall()
    return found


def read_samples(answer: Path) -> Mapping[str, Mapping[str, float]]:
    """Return the server's samples once it has written them."""
    deadline = monotonic() + TIMEOUT_SECONDS
    while not answer.exists() and monotonic() < deadline:
        sleep(0.05)
    found = json.loads(answer.read_text())
    answer.unlink()
    return {"threads": found["threads"], "stacks": dict(found["stacks"])}


def cost(sampled: Mapping[str, Mapping[str, float]], requests: int) -> Cost:
    """Return microseconds per request, by component. Unassigned time belongs to the event loop."""
    threads, stacks = sampled["threads"], sampled["stacks"]
    together = sum(threads.values()) * 1e6 / requests
    # Samples are of the main thread, whichever thread used the tick: scale to its own CPU time.
    each = threads["MainThread"] * 1e6 / requests / sum(stacks.values())
    parts: defaultdict[str, float] = defaultdict(float)
    for stack, count in stacks.items():
        if part := part_of(stack.split(";")):
            parts[part] += count * each
    spent = {name: seconds * 1e6 / requests for name, seconds in threads.items()}
    parts[LOOP] = spent.pop("MainThread") - sum(parts.values())
    parts["SQLite thread"] += sum(spent.values())
    return {**parts, "total": together}


def part_of(stack: list[str]) -> str | None:
    # Skip the outermost frames: those of the command itself.
    outer = max((i for i, f in enumerate(stack) if f == "asyncio.runners:run"), default=0)
    served = [frame for frame in stack[outer + 1 :] if frame not in IGNORED_FRAMES]
    for part, beginnings in PARTS.items():
        if any(frame.startswith(beginnings) for frame in served):
            return part
    return None
