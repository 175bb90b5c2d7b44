"""Every operation reads every payload that concerns it, and has one of each kind that matters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from generation.contract.errors import (
    AccountBlocked,
    Fault,
    InDoubt,
    QueueFull,
    Rejected,
    Throttled,
)
from generation.contract.inspect_reply import Kind, Outcome, describe, read
from generation.contract.operation import Operation, Task, Unlisted
from generation.contract.status import Accepted, Failed, Running, Succeeded
from generation.providers import OPERATIONS
from tests.contract.payloads import ANY_DIALECT, EVERY_OPERATION, ORDER, Payload, payloads

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


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
def test_a_payload_is_read_as_its_file_says(payload: Payload) -> None:
    for operation in OPERATIONS:
        if payload.concerns(operation):
            assert_read(operation, payload)


def assert_read(operation: Operation[Any], payload: Payload) -> None:
    printed = describe(operation, payload.kind, payload.reply, ORDER)
    assert isinstance(printed, list) == isinstance(payload.expect, list), label(operation)
    assert comparable(printed, payload.expect) == completed(payload.expect), label(operation)

    outcome = outcome_of(operation, payload)
    also = {name: plain(getattr(outcome, name)) for name in payload.also}
    assert also == payload.also, label(operation)


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

Case = Callable[[Outcome | Fault], bool]

SUBMIT_CASES: Mapping[str, Case] = {
    "accepted": lambda outcome: isinstance(outcome, Accepted),
    "rejected": lambda outcome: isinstance(outcome, Rejected),
    "throttled": lambda outcome: isinstance(outcome, Throttled | QueueFull),
    "account blocked": lambda outcome: isinstance(outcome, AccountBlocked),
}
#: Of an operation that never has anything to ask about.
SYNCHRONOUS_CASES: Mapping[str, Case] = {
    **SUBMIT_CASES,
    "accepted": lambda outcome: isinstance(outcome, Succeeded),
}
QUERY_CASES: Mapping[str, Case] = {
    "running": lambda outcome: (
        isinstance(outcome, Running) and not outcome.queued and outcome.unknown_word is None
    ),
    "succeeded": lambda outcome: isinstance(outcome, Succeeded),
    "failed": lambda outcome: isinstance(outcome, Failed),
    "unknown status": lambda outcome: (
        isinstance(outcome, Running) and outcome.unknown_word is not None
    ),
}
BATCH_QUERY_CASES: Mapping[str, Case] = {
    "a task": lambda outcome: isinstance(outcome, Mapping) and bool(outcome),
}
FIND_CASES: Mapping[str, Case] = {
    "found": lambda outcome: isinstance(outcome, str),
    # Not every upstream can prove an absence: a relay has accounts that we know nothing of.
    "not there": lambda outcome: outcome is None or isinstance(outcome, Unlisted | InDoubt),
}
CANCEL_CASES: Mapping[str, Case] = {
    "agreed": lambda outcome: outcome is True,
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_an_operation_has_a_payload_of_every_case(operation: Operation[Any]) -> None:
    missing = [
        f"{kind}: {case}"
        for kind, cases in needed_cases(operation)
        for case in missing_cases(cases, answers(operation, kind))
    ]
    assert not missing, f"{label(operation)} has no payload for {', '.join(missing)}"


Answers = list[tuple[Payload, Outcome | Fault]]


def answers(operation: Operation[Any], kind: Kind) -> Answers:
    return [
        (payload, outcome_of(operation, payload))
        for payload in payloads()
        if payload.kind is kind and payload.concerns(operation)
    ]


def missing_cases(cases: Mapping[str, Case], found: Answers) -> Iterator[str]:
    """The cases that no JSON answer shows, and garbage where every answer is JSON."""
    outcomes = [outcome for payload, outcome in found if payload.is_json]
    yield from (case for case, holds in cases.items() if not any(map(holds, outcomes)))
    if not any(isinstance(outcome, Fault) and not payload.is_json for payload, outcome in found):
        yield "garbage"


def needed_cases(operation: Operation[Any]) -> Iterator[tuple[Kind, Mapping[str, Case]]]:
    if is_synchronous(operation):
        yield Kind.SUBMIT, SYNCHRONOUS_CASES
    else:
        yield Kind.SUBMIT, SUBMIT_CASES
        yield Kind.QUERY, QUERY_CASES
    if operation.batch_limit > 0:
        yield Kind.BATCH_QUERY, BATCH_QUERY_CASES
    if operation.build_find(ORDER):
        yield Kind.FIND, FIND_CASES
    if operation.build_cancel(Task("42")):
        yield Kind.CANCEL, CANCEL_CASES


def is_synchronous(operation: Operation[Any]) -> bool:
    """
    Whether the submit's answer is the result, so that there is nothing to ask about. Only a file
    that names the operation says so; a shape that many operations share proves nothing.
    """
    own = [
        outcome
        for payload, outcome in answers(operation, Kind.SUBMIT)
        if operation.name in payload.operations
    ]
    return any(isinstance(outcome, Succeeded) for outcome in own) and not any(
        isinstance(outcome, Accepted) for outcome in own
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
