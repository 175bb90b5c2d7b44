"""
The plan of every statement of the store, as the tests of `tests/contract` make the store run them.

A statement is captured with the place in `generation/store` that runs it. After each test the
databases are asked how they would run what they have not been asked about before: a statement that
reads all of a table that grows fails the test. A place that no test of the whole folder has run is
a statement nobody has seen the plan of, and fails the session.
"""

import ast
import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

import greenlet
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection

import generation.store
from generation.store.jobs.bulk_insert import sqlite_insert_view
from generation.store.jobs.claiming import INSERT_VIEW

STORE: Final = Path(generation.store.__file__).parent
CONTRACT: Final = Path(__file__).parent.parent / "contract"
SEEN: Final = "genq.places"

#: Tables that grow with what is ordered. Nobody reads all of one of them.
GROWING: Final = frozenset(
    {"jobs", "job_events", "job_labels", "deliveries", "delivery_attempts", "idempotency_keys"}
)
#: Tables that may be read whole, and why.
SMALL: Final[Mapping[str, str]] = {
    "accounts": "one row for each key of the station file",
    "api_keys": "made by people, one at a time",
    "durations": "one row for each model at a station, forgotten after 90 days",
    "event_feed": "one row",
    "key_changes": "one row",
    "key_usage": "one row for each API key",
    "secrets": "one row for each purpose",
    "tallies": "sixteen rows for each name, and names are few",
    "turns": "a tenant's last turn at a key; searched by its key all the same",
    "unreadable_rows": "damaged rows, until they are mended",
    "webhook_endpoints": "fifty for each tenant at most",
}
#: Partial indexes that hold work only, and that may be walked from one end, and why.
WORK: Final[Mapping[str, str]] = {
    "ix_jobs_due_looks": "the next lane is its first entry beyond the last lane",
    "ix_jobs_line": "the next line is its first entry beyond the last line",
    "ix_jobs_queued": "the oldest queued job is its first entry",
    "ix_jobs_holding": "jobs that were called and have not come, a few at each key",
    "ix_job_events_unplaced": "events of a second, until they have their places",
}
#: Functions of the store whose statements may read all of a table, and why.
WHOLE: Final[Mapping[str, str]] = {
    "jobs/store.counts": "for tests and people; the service counts by tallies",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What a driver was given, and the functions of the store that asked, the innermost first."""

    dialect: str
    words: str
    parameters: Any
    asked_by: str


@dataclass(frozen=True, slots=True)
class Place:
    """A call that hands a connection on, or gives it a statement."""

    file: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"generation/store/{self.file}:{self.first}"


class Capture:
    """What the store runs, and where."""

    def __init__(self) -> None:
        self.statements: dict[tuple[str, str], Statement] = {}
        self.lines: set[tuple[str, int]] = set()
        self._explained: set[tuple[str, str]] = set()

    @contextmanager
    def listening(self) -> Generator[None]:
        event.listen(Engine, "before_cursor_execute", self._note)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", self._note)

    def fresh(self, dialect: str) -> list[Statement]:
        """Statements for this kind of database that nobody has explained yet."""
        found = [
            statement
            for name, statement in self.statements.items()
            if name[0] == dialect and name not in self._explained
        ]
        self._explained.update((each.dialect, each.words) for each in found)
        return found

    def _note(self, connection: Any, cursor: Any, words: str, parameters: Any, *rest: Any) -> None:
        del cursor, rest
        frames = list(frames_of_store())
        if not frames or words.startswith("EXPLAIN"):
            return
        self.lines.update((module_of(f.f_code.co_filename), f.f_lineno) for f in frames)
        asked_by = " < ".join(
            f"{module_of(each.f_code.co_filename).removesuffix('.py')}.{each.f_code.co_name}"
            for each in frames
        )
        name = (connection.dialect.name, words)
        self.statements.setdefault(name, Statement(*name, one_of(parameters), asked_by))


def one_of(parameters: Any) -> tuple[Any, ...]:
    """The first of several sets of parameters, or the only one."""
    given = cast("list[Any] | tuple[Any, ...]", parameters)
    if isinstance(given, list) and given and isinstance(given[0], tuple):
        return cast("tuple[Any, ...]", given[0])
    return tuple(given)


@cache
def module_of(file: str) -> str:
    """The path of one of the store's modules inside the store; "" for any other file."""
    path = Path(file)
    inside = path.is_relative_to(STORE) and "migrations" not in path.parts
    return path.relative_to(STORE).as_posix() if inside else ""


def frames_of_store() -> Iterator[FrameType]:
    """The store's frames that wait for this statement, the innermost first."""
    spawned = greenlet.getcurrent().parent
    frame: FrameType | None = cast("FrameType | None", spawned and spawned.gr_frame)
    while frame is not None:
        if module_of(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


async def complaints(connection: AsyncConnection, statement: Statement) -> list[str]:
    """What is wrong with how the database would run it."""
    if statement.asked_by.split(" < ")[0] in WHOLE or not explainable(statement.words):
        return []
    if statement.dialect == "postgresql":
        await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        words = f"EXPLAIN (FORMAT JSON) {statement.words}"
        (plan,) = (await connection.exec_driver_sql(words, statement.parameters)).scalars()
        plan = json.loads(plan) if isinstance(plan, str) else plan
        return [said for node in nodes(plan[0]["Plan"]) if (said := wrong_node(node))]
    lines: list[str] = []
    for words in (statement.words, *triggered(statement.words)):
        parameters = statement.parameters if words is statement.words else ()
        found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", parameters)
        lines += [wrong for row in found if (wrong := wrong_line(str(row.detail), words))]
    return lines


def explainable(words: str) -> bool:
    return words.split(None, 1)[0].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}


def triggered(words: str) -> list[str]:
    """What an INSERT into the insert view does besides: SQLite does not explain triggers."""
    if not words.startswith(f"INSERT INTO {INSERT_VIEW} "):
        return []
    bodies = [
        re.split(r"\bBEGIN\b", each, maxsplit=1)[1].rsplit("END", 1)[0]
        for each in sqlite_insert_view()
        if "TRIGGER" in each
    ]
    whole = re.sub(r"RAISE\(ABORT, '[^']*'\)", "1", ";".join(bodies))
    parts = re.sub(r"\bnew\.\w+", "'{}'", whole).split(";")
    return [each for part in parts if (each := part.strip())]


def wrong_line(line: str, words: str) -> str | None:
    """What is wrong with a line of SQLite's plan."""
    if "AUTOMATIC" in line:
        return line
    scanned = re.match(r"SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?", line)
    if scanned is None or (scanned[2] or "") in WORK:
        return None
    name = scanned[1]
    if alias := re.search(rf"\b(\w+) AS {re.escape(name)}\b", words):
        name = alias[1]
    return line if name in GROWING else None


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def wrong_node(node: Mapping[str, Any]) -> str | None:
    """What is wrong with a node of PostgreSQL's plan."""
    kind, index = node["Node Type"], node.get("Index Name", "")
    if kind == "Seq Scan" and node["Relation Name"] in GROWING:
        return f"Seq Scan on {node['Relation Name']}"
    if index and "Index Cond" not in node and index not in WORK and table_of(index) in GROWING:
        return f"{kind} of all of {index}"
    return None


@cache
def table_of(index: str) -> str:
    """The table that an index is of, by its name."""
    kinds = re.fullmatch(r"(?:ix|uq|pk)_(.+)", index)
    named = kinds[1] if kinds else index
    fitting = [each for each in (*GROWING, *SMALL) if f"{named}_".startswith(f"{each}_")]
    return max(fitting, key=len, default=index)


def places() -> list[Place]:
    """Every call in the store that gives a connection a statement, or hands the connection on."""
    return [place for file in sorted(STORE.rglob("*.py")) for place in places_in(file)]


def places_in(file: Path) -> Iterator[Place]:
    module = module_of(str(file))
    if not module or module in NO_STATEMENTS:
        return
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and runs_statements(node):
            yield Place(module, node.lineno, node.end_lineno or node.lineno)


#: Modules that open connections, and bring tables to a version; and the names of functions that
#: look at a connection and run nothing.
NO_STATEMENTS: Final = frozenset(
    f"engine/{name}.py" for name in ("engines", "sqlite_driver", "database", "migrate")
)
LOOKING: Final = frozenset({"insert_once", "dialect_of"})


def runs_statements(call: ast.Call) -> bool:
    called = call.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in LOOKING or "SELECT 1" in ast.unparse(call):  # that reads no table
        return False
    on = isinstance(called, ast.Attribute) and getattr(called.value, "id", "") == "connection"
    return on or any(isinstance(each, ast.Name) and each.id == "connection" for each in call.args)


def unseen(lines: set[tuple[str, int]]) -> list[Place]:
    return [
        place
        for place in places()
        if not any((place.file, line) in lines for line in range(place.first, place.last + 1))
    ]


CAPTURE = pytest.StashKey[Capture]()
UNSEEN = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CAPTURE] = Capture()
    config.stash[UNSEEN] = []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Once all tests of the contract have run, on both kinds of database, every place was seen."""
    config = session.config
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    lines = config.stash[CAPTURE].lines
    if output is not None:
        output[SEEN] = (is_whole(session), sorted(lines))
        return
    whole = config.stash.get(WHOLE_SESSION, is_whole(session))
    if not whole or session.exitstatus != pytest.ExitCode.OK:
        return
    config.stash[UNSEEN] = [str(place) for place in unseen(lines)]
    if config.stash[UNSEEN]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


WHOLE_SESSION = pytest.StashKey[bool]()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect what a worker of pytest-xdist has seen."""
    whole, lines = getattr(node, "workeroutput", {}).get(SEEN, (False, []))
    node.config.stash[WHOLE_SESSION] = whole
    node.config.stash[CAPTURE].lines.update((file, line) for file, line in lines)


def is_whole(session: pytest.Session) -> bool:
    """Whether every test of the folder was to run."""
    config = session.config
    if config.option.keyword or config.option.markexpr or any("::" in arg for arg in config.args):
        return False
    collected = {item.path for item in session.items}
    return collected >= set(CONTRACT.glob("test_*.py"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if missing := config.stash[UNSEEN]:
        terminalreporter.section("statements of the store that no test runs", red=True)
        for line in missing:
            terminalreporter.line(line)
