"""Starts a planned stack and reports crashes."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from generation.store import Store
from ops.cli.database import check_file, sqlite_file, with_store
from ops.cli.migrate import check_first_key, migrate_once, store_first_key
from ops.local.client_credentials import ClientCredentials, prepare_credentials, write_private
from ops.local.data_folder import shown
from ops.local.messages import print_crash, print_line
from ops.local.progress_rows import ProgressRows
from ops.local.stack_plan import StackPlan, sandbox_stations
from ops.local.worker_ping import worker_answers
from ops.stack.program import Program
from ops.stack.supervisor import ENDING_SIGNALS, Supervisor

WATCH_EVERY = timedelta(milliseconds=200)
LAST_LINES = 5
LAST_BYTES = 8192


@dataclass(slots=True)
class LocalStack:
    """A running stack."""

    plan: StackPlan
    client: ClientCredentials
    #: Programs that exited unexpectedly; each is restarted.
    crashed: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def running_stack(plan: StackPlan, console: Console) -> AsyncGenerator[LocalStack]:
    """Run the stack during the block; the console shows start, stop and crashes.

    The data folder must be locked. Raises `StackEnded` if a program is given up or a signal
    arrives, and `CliError` if the database cannot be used. Every program is stopped in any case.
    """
    async with AsyncExitStack() as exits:
        with _signals_held():
            supervisor = await exits.enter_async_context(Supervisor(plan.data_folder.logs))
        exits.callback(plan.data_folder.running.unlink, missing_ok=True)
        try:
            with ProgressRows(console) as rows:
                start = StackStartup(plan, supervisor, rows)
                stack = LocalStack(plan, await start.everything())
            write_private(plan.data_folder.running, stack_record(plan))
            watch = _report_crashes(stack, supervisor, start.started, console)
            async with _running_alongside(watch):
                yield stack
        finally:
            print_line(console)
            print_line(console, "Stopping everything. Ctrl-C kills what is left.", "dim")


def stack_record(plan: StackPlan) -> str:
    """Return the content of running.json: this process and the programs' settings."""
    document = {"process": os.getpid(), "environment": dict(plan.environment())}
    return json.dumps(document, indent=2) + "\n"


@contextmanager
def _signals_held() -> Generator[None]:
    """Delay signals until the block ends.

    Ctrl-C reaches every process of the terminal; the child reaper must not die of it before it has
    its own session.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class StackStartup:
    """One startup: each program starts once its dependencies run; stopped in reverse order."""

    def __init__(self, plan: StackPlan, supervisor: Supervisor, rows: ProgressRows) -> None:
        self.started: list[str] = []
        self._plan = plan
        self._supervisor = supervisor
        self._rows = rows

    async def everything(self) -> ClientCredentials:
        """Start all programs and return the client credentials."""
        plan = self._plan
        if broker := plan.broker_program():
            await self._program(broker, plan.broker.url.removesuffix("/0"))
        first: list[Coroutine[Any, Any, Any]] = [self._prepare_database()]
        if sandbox := plan.sandbox_program():
            write_private(plan.data_folder.stations, sandbox_stations(plan.sandbox_url or ""))
            first.append(self._program(sandbox, f"{plan.sandbox_url}  costs nothing"))
        first.append(self._program(plan.flower_program(), plan.flower_url))
        client, *_ = await _gather(*first)
        answers = worker_answers(plan.broker.url, lambda: self._supervisor.pid("worker"))
        await _gather(
            self._program(plan.api_program(), plan.api_url),
            self._program(plan.worker_program(answers), "answers"),
        )
        return client

    async def _program(self, program: Program, what: str) -> None:
        row = self._rows.add(program.name, "starting")
        await self._supervisor.start(program)
        self.started.append(program.name)
        self._rows.end(row, what)

    async def _prepare_database(self) -> ClientCredentials:
        file = sqlite_file(self._plan.settings)
        row = self._rows.add("database", "migrating")
        # In a thread with its own loop: database drivers handle cancellation badly.
        client = await asyncio.to_thread(self._migrate)
        self._rows.end(row, shown(file) if file else "PostgreSQL")
        return client

    def _migrate(self) -> ClientCredentials:
        """Migrate like `genq migrate` but without waiting; return the credentials."""
        plan = self._plan
        check_first_key(plan.settings)
        check_file(sqlite_file(plan.settings))
        migrate_once(plan.settings)
        if plan.settings.api_key is not None:
            store_first_key(plan.settings)

        async def ready(store: Store) -> ClientCredentials:
            return await prepare_credentials(
                plan.data_folder, store, plan.api_url, datetime.now(UTC)
            )

        return with_store(plan.settings, ready)


async def _gather(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    """Return all results; if one fails, cancel the others and raise its error."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@asynccontextmanager
async def _running_alongside(coroutine: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Run the coroutine during the block."""
    task = asyncio.create_task(coroutine)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _report_crashes(
    stack: LocalStack, supervisor: Supervisor, names: list[str], console: Console
) -> None:
    """Report each program whose process id has changed."""
    pids = {name: supervisor.pid(name) for name in names}
    while True:
        await asyncio.sleep(WATCH_EVERY.total_seconds())
        for name, before in pids.items():
            pids[name] = supervisor.pid(name)
            if before not in (None, pids[name]):
                stack.crashed.append(name)
                log = stack.plan.data_folder.log(name)
                print_crash(console, name, log, last_lines(log))


def last_lines(log: Path) -> str:
    """Return the last lines of a log file."""
    with log.open("rb") as reading:
        reading.seek(max(0, log.stat().st_size - LAST_BYTES))
        lines = reading.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-LAST_LINES:])
