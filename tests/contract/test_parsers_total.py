"""
Whatever bytes come, every parser of every operation returns what its kind may return or raises a
`Fault`; and what comes out of it can be stored.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation.errors import Fault
from generation.operation import Reply
from generation.parse import Kind, Outcome, describe, read
from generation.providers import OPERATIONS
from generation.status import (
    Accepted,
    Ask,
    AwaitingInput,
    Failed,
    Running,
    Succeeded,
)
from tests.contract.payloads import ORDER, payloads

#: Each example goes through every parser there is, so the examples are few and the parsers many.
thorough = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

LONGEST_UPSTREAM_ID = 300

STATUS = Running | AwaitingInput | Succeeded | Failed | Ask
MAY_RETURN: Mapping[Kind, Any] = {
    Kind.SUBMIT: Accepted | STATUS,
    Kind.QUERY: STATUS,
    Kind.BATCH_QUERY: Mapping,
    Kind.FIND: str | None,
    Kind.CANCEL: bool,
}


# --- what comes in ----------------------------------------------------------------------------


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
def mutants(draw: st.DrawFn) -> Any:
    """A real answer in which a few values, anywhere, are replaced or lost."""
    body = json.loads(json.dumps(draw(st.sampled_from(BODIES or [{}]))))
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
    return body


@st.composite
def torsos(draw: st.DrawFn) -> bytes:
    """A real answer that was cut off, or has a wrong byte in it."""
    body = bytearray(draw(st.sampled_from([payload.reply.body for payload in payloads()] or [b""])))
    if body and draw(st.booleans()):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body[: draw(st.integers(0, len(body)))])


# --- what must come out -----------------------------------------------------------------------


def survive(reply: Reply) -> None:
    for operation in OPERATIONS:
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
@given(statuses, documents | objects, headers)
def test_any_json(status: int, body: Any, headers: Mapping[str, str]) -> None:
    survive(as_reply(status, body, headers))


@thorough
@given(statuses, mutants(), headers)
def test_any_change_to_a_real_answer(status: int, body: Any, headers: Mapping[str, str]) -> None:
    survive(as_reply(status, body, headers))


@thorough
@given(statuses, torsos())
def test_any_part_of_a_real_answer(status: int, body: bytes) -> None:
    survive(Reply(status, body))


@thorough
@given(statuses, st.binary(max_size=200))
def test_any_bytes(status: int, body: bytes) -> None:
    survive(Reply(status, body))


def test_json_that_is_deeper_than_python_can_read() -> None:
    survive(Reply(200, b'{"data":' * 100_000))
    survive(Reply(200, b"[" * 100_000 + b"]" * 100_000))
    survive(Reply(200, b'{"code": ' + b"1" * 10_000 + b"}"))
