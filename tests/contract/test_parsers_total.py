"""
Whatever bytes come, every parser of every operation returns what its kind may return or raises a
`Fault`; and what comes out of it can be stored.

The time this takes does not grow with the number of operations: each example goes through a few of
them, drawn evenly over the providers, whose operations share most of their parsers.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation.contract.errors import Fault
from generation.contract.inspect_reply import Kind, Outcome, describe, read
from generation.contract.operation import Operation
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    Ask,
    AwaitingInput,
    Failed,
    Running,
    Succeeded,
)
from generation.providers import OPERATIONS
from tests.contract.payloads import ORDER, Payload, payloads

thorough = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

LONGEST_UPSTREAM_ID = 300

#: Operations that one example goes through.
FEW = 6

Operations = Sequence[Operation[Any]]

PROVIDERS: Mapping[str, Operations] = {
    name: [operation for operation in OPERATIONS if operation.provider == name]
    for name in dict.fromkeys(operation.provider for operation in OPERATIONS)
}

STATUS = Running | AwaitingInput | Succeeded | Failed | Ask
MAY_RETURN: Mapping[Kind, Any] = {
    Kind.SUBMIT: Accepted | STATUS,
    Kind.QUERY: STATUS,
    Kind.BATCH_QUERY: Mapping,
    Kind.FIND: str | None,
    Kind.CANCEL: bool,
}


# --- what comes in ----------------------------------------------------------------------------

#: A few operations of any providers, each provider as likely as the next.
some = st.lists(
    st.sampled_from(list(PROVIDERS.values())).flatmap(st.sampled_from), min_size=1, max_size=FEW
)
#: A real answer, each provider's as likely as the next one's.
answers = st.sampled_from(
    [[each for each in payloads() if each.provider == name] for name in PROVIDERS]
).flatmap(st.sampled_from)


@st.composite
def readers(draw: st.DrawFn, payload: Payload) -> Operations:
    """A few of the operations whose answer it is, and one of any."""
    concerned = [each for each in PROVIDERS[payload.provider] if payload.concerns(each)]
    own = draw(st.lists(st.sampled_from(concerned), min_size=1, max_size=FEW - 1))
    return [*own, *draw(some)[:1]]


def bodies() -> list[Any]:
    return [json.loads(payload.reply.body) for payload in payloads() if payload.is_json]


def walk(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value inside a JSON value, with the path to it."""
    yield path, value
    if isinstance(value, dict):
        for name, inner in cast(dict[str, Any], value).items():
            yield from walk(inner, (*path, name))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(cast(Sequence[Any], value)):
            yield from walk(inner, (*path, index))


BODIES = bodies()
KNOWN_NAMES = sorted({str(path[-1]) for body in BODIES for path, _ in walk(body) if path})
KNOWN_VALUES = sorted(
    {json.dumps(value) for body in BODIES for _, value in walk(body) if not isinstance(value, dict)}
)

statuses = st.sampled_from(
    [200, 200, 200, 202, 204, 301, 400, 401, 403, 404, 408, 429, 500, 502, 503]
)
headers = st.dictionaries(
    st.just("retry-after"),
    st.text(max_size=8)
    | st.integers().map(str)
    | st.sampled_from(
        [
            "Wed, 21 Oct 2099 07:28:00 GMT",
            "Wed, 21 Oct 1999 07:28:00 -0000",
            "Mon, 01 Jan 0001 00:00:00 +2359",
            "Fri, 31 Dec 9999 23:59:59 -999999999",
        ]
    ),
    max_size=1,
)
odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=12),
    st.sampled_from(
        ["", "\0", "\ud800", "9" * 400, '{"code":"\\u0000"}', -1, 10**30, 1e308, [], {}, [[]], [{}]]
    ),
)
values = st.one_of(odd_values, st.sampled_from(KNOWN_VALUES or ["null"]).map(json.loads))
names = st.sampled_from(KNOWN_NAMES or ["id"]) | st.text(max_size=6)
documents = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=8),
    max_leaves=25,
)
objects = st.dictionaries(names, documents, max_size=8)


@st.composite
def mutants(draw: st.DrawFn) -> tuple[Any, Operations]:
    """A real answer in which a few values, anywhere, are replaced or lost, and its readers."""
    payload = draw(answers.filter(lambda each: each.is_json))
    body = json.loads(payload.reply.body)
    for _ in range(draw(st.integers(1, 3))):
        places = [(path, value) for path, value in walk(body) if path]
        if not places:
            break
        path, value = draw(st.sampled_from(places))
        parent = body
        for step in path[:-1]:
            parent = parent[step]
        if draw(st.booleans()):
            parent[path[-1]] = draw(
                st.one_of(documents, st.just([value]), st.just(json.dumps(value)))
            )
        else:
            del parent[path[-1]]
    return body, draw(readers(payload))


@st.composite
def torsos(draw: st.DrawFn) -> tuple[bytes, Operations]:
    """A real answer that was cut off, or has a wrong byte in it, and its readers."""
    payload = draw(answers)
    body = bytearray(payload.reply.body)
    if body and draw(st.booleans()):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body[: draw(st.integers(0, len(body)))]), draw(readers(payload))


# --- what must come out -----------------------------------------------------------------------


def survive(reply: Reply, operations: Operations) -> None:
    for operation in operations:
        for kind in Kind:
            try:
                outcome = read(operation, kind, reply, ORDER)
            except Fault as fault:
                check_storable([fault.message, fault.upstream_code])
                assert fault.retry_after is None or fault.retry_after.total_seconds() >= 0
            else:
                check_outcome(kind, outcome)
            check_storable(describe(operation, kind, reply, ORDER))


def check_outcome(kind: Kind, outcome: Outcome) -> None:
    assert isinstance(outcome, MAY_RETURN[kind])
    match outcome:
        case Mapping():
            for upstream_id, status in outcome.items():
                check_id(upstream_id)
                check_outcome(Kind.QUERY, status)
        case Accepted(upstream_id) | str(upstream_id):
            check_id(upstream_id)
        case Running(progress):
            assert progress is None or 0 <= progress <= 100
        case Succeeded(assets, texts):
            assert assets or texts
        case _:
            pass
    if is_dataclass(outcome):
        check_storable(asdict(outcome))


def check_id(upstream_id: str) -> None:
    assert 0 < len(upstream_id) <= LONGEST_UPSTREAM_ID
    check_storable(upstream_id)


def check_storable(value: Any) -> None:
    """JSON has no infinity, UTF-8 no lone surrogate, and PostgreSQL takes no NUL."""
    json.dumps(value, ensure_ascii=False, allow_nan=False, default=str).encode()
    for path, inner in walk(value):
        assert not any("\0" in each for each in (*path, inner) if isinstance(each, str))


def as_reply(status: int, body: Any, headers: Mapping[str, str]) -> Reply:
    return Reply(status, json.dumps(body).encode(), headers)


@thorough
@given(statuses, documents | objects, headers, some)
def test_any_json(
    status: int, body: Any, headers: Mapping[str, str], operations: Operations
) -> None:
    survive(as_reply(status, body, headers), operations)


@thorough
@given(statuses, mutants(), headers)
def test_any_change_to_a_real_answer(
    status: int, mutant: tuple[Any, Operations], headers: Mapping[str, str]
) -> None:
    body, operations = mutant
    survive(as_reply(status, body, headers), operations)


@thorough
@given(statuses, torsos())
def test_any_part_of_a_real_answer(status: int, torso: tuple[bytes, Operations]) -> None:
    body, operations = torso
    survive(Reply(status, body), operations)


@thorough
@given(statuses, st.binary(max_size=200), some)
def test_any_bytes(status: int, body: bytes, operations: Operations) -> None:
    survive(Reply(status, body), operations)


def test_json_that_is_deeper_than_python_can_read() -> None:
    one_of_each_dialect = list({operation.dialect: operation for operation in OPERATIONS}.values())
    for body in (
        b'{"data":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"code": ' + b"1" * 10_000 + b"}",
    ):
        survive(Reply(200, body), one_of_each_dialect)
