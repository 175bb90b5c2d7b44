"""Every operation reads every payload that concerns it, and has one of each kind that matters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from generation.errors import AccountBlocked, Fault, QueueFull, Rejected, Throttled
from generation.operation import Operation, Task
from generation.parse import Kind, Outcome, describe, read
from generation.providers import OPERATIONS
from generation.status import Accepted, Failed, Running, Succeeded
from tests.contract.payloads import ANY_DIALECT, EVERY_OPERATION, ORDER, Payload, payloads

PAIRS = [
    (operation, payload)
    for operation in OPERATIONS
    for payload in payloads()
    if payload.concerns(operation)
]

Entries = dict[str, Any] | list[dict[str, Any]]

EMPTY: Mapping[str, Any] = {
    "state": None,
    "upstream_id": None,
    "progress": None,
    "assets": [],
    "texts": [],
    "error": None,
}


def label(operation: Operation[Any]) -> str:
    return f"{operation.dialect}:{operation.name}"


@pytest.mark.parametrize(
    ("operation", "payload"), PAIRS, ids=[f"{label(o)}<-{p.name}" for o, p in PAIRS]
)
def test_a_payload_is_read_as_its_file_says(operation: Operation[Any], payload: Payload) -> None:
    printed = describe(operation, payload.kind, payload.reply, ORDER)
    assert isinstance(printed, list) == isinstance(payload.expect, list)
    assert comparable(printed, payload.expect) == completed(payload.expect)

    outcome = outcome_of(operation, payload)
    assert {name: plain(getattr(outcome, name)) for name in payload.also} == payload.also


def completed(expect: Entries) -> list[dict[str, Any]]:
    """What a file expects, with the empty values it left out."""
    return sorted(({**EMPTY, **entry} for entry in listed(expect)), key=by_upstream_id)


def comparable(printed: Entries, expect: Entries) -> list[dict[str, Any]]:
    """What was printed, without the messages that the file does not name."""
    entries = sorted(listed(printed), key=by_upstream_id)
    wanted = sorted(listed(expect), key=by_upstream_id)
    for entry, wish in zip(entries, wanted, strict=False):
        if entry["error"] and "message" not in (wish.get("error") or {}):
            del entry["error"]["message"]
    return entries


def listed(entries: Entries) -> list[dict[str, Any]]:
    return entries if isinstance(entries, list) else [entries]


def by_upstream_id(entry: Mapping[str, Any]) -> str:
    return str(entry.get("upstream_id"))


def plain(value: Any) -> Any:
    """A status attribute as JSON would have it."""
    match value:
        case timedelta():
            return value.total_seconds()
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [plain(each) for each in cast(list[Any], value)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        case _:
            return value


def outcome_of(operation: Operation[Any], payload: Payload) -> Outcome | Fault:
    try:
        return read(operation, payload.kind, payload.reply, ORDER)
    except Fault as fault:
        return fault


# --- what every operation must have -----------------------------------------------------------

Case = Callable[[Payload, Outcome | Fault], bool]


def garbage(payload: Payload, outcome: Outcome | Fault) -> bool:
    return not payload.is_json and isinstance(outcome, Fault)


SUBMIT_CASES: Mapping[str, Case] = {
    "accepted": lambda _, outcome: isinstance(outcome, Accepted | Succeeded),
    "rejected": lambda _, outcome: isinstance(outcome, Rejected),
    "throttled": lambda _, outcome: isinstance(outcome, Throttled | QueueFull),
    "account blocked": lambda _, outcome: isinstance(outcome, AccountBlocked),
    "garbage": garbage,
}
QUERY_CASES: Mapping[str, Case] = {
    "running": lambda _, outcome: isinstance(outcome, Running) and outcome.unknown_word is None,
    "succeeded": lambda _, outcome: isinstance(outcome, Succeeded),
    "failed": lambda _, outcome: isinstance(outcome, Failed),
    "unknown status": lambda _, outcome: (
        isinstance(outcome, Running) and outcome.unknown_word is not None
    ),
    "garbage": garbage,
}
BATCH_QUERY_CASES: Mapping[str, Case] = {
    "a task": lambda _, outcome: isinstance(outcome, Mapping) and bool(outcome),
    "garbage": garbage,
}
FIND_CASES: Mapping[str, Case] = {
    "found": lambda _, outcome: isinstance(outcome, str),
    "surely none": lambda _, outcome: outcome is None,
    "garbage": garbage,
}
CANCEL_CASES: Mapping[str, Case] = {
    "agreed": lambda _, outcome: outcome is True,
    "garbage": garbage,
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_an_operation_has_a_payload_of_every_case(operation: Operation[Any]) -> None:
    missing = [
        f"{kind}: {case}"
        for kind, cases in needed_cases(operation)
        for case, holds in cases.items()
        if not any(holds(*answer) for answer in answers(operation, kind))
    ]
    assert not missing, f"{label(operation)} has no payload for {', '.join(missing)}"


def answers(operation: Operation[Any], kind: Kind) -> list[tuple[Payload, Outcome | Fault]]:
    return [
        (payload, outcome_of(operation, payload))
        for payload in payloads()
        if payload.kind is kind and payload.concerns(operation)
    ]


def needed_cases(operation: Operation[Any]) -> Iterator[tuple[Kind, Mapping[str, Case]]]:
    yield Kind.SUBMIT, SUBMIT_CASES
    if not answers_at_once(operation):
        yield Kind.QUERY, QUERY_CASES
    if operation.batch_limit > 0:
        yield Kind.BATCH_QUERY, BATCH_QUERY_CASES
    if operation.build_find(ORDER):
        yield Kind.FIND, FIND_CASES
    if operation.build_cancel(Task("42")):
        yield Kind.CANCEL, CANCEL_CASES


def answers_at_once(operation: Operation[Any]) -> bool:
    """Whether the submit's answer is the result, so that there is nothing to ask about."""
    outcomes = [outcome for _, outcome in answers(operation, Kind.SUBMIT)]
    return any(isinstance(outcome, Succeeded) for outcome in outcomes) and not any(
        isinstance(outcome, Accepted | Running) for outcome in outcomes
    )


def test_every_payload_concerns_an_operation() -> None:
    """A file nobody reads proves nothing. Providers that offer nothing yet may have files."""
    known = {operation.provider for operation in OPERATIONS}
    stray = [
        payload.name
        for payload in payloads()
        if payload.provider in known and not fully_concerned(payload)
    ]
    assert not stray, f"no operation reads {', '.join(stray)}"


def fully_concerned(payload: Payload) -> bool:
    readers = [operation for operation in OPERATIONS if payload.concerns(operation)]
    dialects = {operation.dialect for operation in readers}
    names = {operation.name for operation in readers} | {EVERY_OPERATION}
    return (
        bool(readers)
        and payload.dialect in dialects | {ANY_DIALECT}
        and payload.operations <= names
    )
