"""Starting a planned stack, and noticing what happens to it."""

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
    """A stack that runs."""

    plan: StackPlan
    client: ClientCredentials
    #: Programs that ended by themselves; each is started again.
    crashed: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def running(plan: StackPlan, console: Console) -> AsyncGenerator[LocalStack]:
    """
    The stack, up and kept up for as long as the block lasts. The console shows how it starts and
    that it stops, and each program that ended by itself.

    The home is locked. Raises `StackEnded` where a program is given up or a signal comes, and
    `CliError` where the database cannot be used. Whatever ends the block, every program is stopped.
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
    """The settings of the stack's programs, and the process that they live with."""
    document = {"process": os.getpid(), "environment": dict(plan.environment())}
    return json.dumps(document, indent=2) + "\n"


@contextmanager
def _signals_held() -> Generator[None]:
    """
    A signal that comes during the block is delivered at its end. A Ctrl-C goes to every process of
    the terminal, and the supervisor's keeper must not die of it before it has left for a session of
    its own.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class StackStartup:
    """One start: each program as soon as what it needs is there. The last one is stopped first."""

    def __init__(self, plan: StackPlan, supervisor: Supervisor, rows: ProgressRows) -> None:
        self.started: list[str] = []
        self._plan = plan
        self._supervisor = supervisor
        self._rows = rows

    async def everything(self) -> ClientCredentials:
        """Start all of it; the client that may call it."""
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
        # In a thread, with a loop of its own: a database's driver does not like to be cancelled.
        client = await asyncio.to_thread(self._migrate)
        self._rows.end(row, shown(file) if file else "PostgreSQL")
        return client

    def _migrate(self) -> ClientCredentials:
        """What `genq migrate` does, but for waiting until there is a database; and the client."""
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
    """What they return; where one fails, the others are cancelled and its error is raised."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@asynccontextmanager
async def _running_alongside(errand: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """The errand goes on while the block does."""
    task = asyncio.create_task(errand)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _report_crashes(
    stack: LocalStack, supervisor: Supervisor, names: list[str], console: Console
) -> None:
    """Tell of each program whose process is not the one that was there before."""
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
    """The newest lines of a log file."""
    with log.open("rb") as reading:
        reading.seek(max(0, log.stat().st_size - LAST_BYTES))
        lines = reading.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-LAST_LINES:])
