"""`genq parse` prints how the adapters read the payload files."""

from collections.abc import Callable, Iterator

import pytest

from generation.contract.inspect_reply import Kind, describe
from generation.providers import OPERATIONS
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.parse import operation_of, reply_kind
from tests.cli.script import Genq
from tests.contract.payloads import ORDER, Payload, payloads

Case = tuple[str, str, str, Payload]


def cases() -> Iterator[Case]:
    """The first payload of each kind, and the first that is no JSON."""
    seen: set[object] = set()
    for payload in payloads():
        operation = next((each for each in OPERATIONS if payload.concerns(each)), None)
        what = payload.kind if payload.is_json else "not JSON"
        if operation is not None and what not in seen:
            seen.add(what)
            yield operation.provider, operation.name, operation.dialect, payload


CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case[-1].name for case in CASES])
def test_it_prints_what_the_adapter_reads(genq: Genq, case: Case) -> None:
    provider, operation, dialect, payload = case
    answer = genq(
        *("parse", "--provider", provider, "--operation", operation, "--dialect", dialect),
        *("--kind", payload.kind, "--status", str(payload.reply.status), "--job", ORDER.job_id),
        stdin=payload.reply.body,
    )
    assert (answer.code, answer.err) == (0, "")
    spoken = next(
        each
        for each in OPERATIONS
        if (each.provider, each.name, each.dialect) == (provider, operation, dialect)
    )
    assert answer.json == describe(spoken, payload.kind, payload.reply, ORDER)


def test_every_kind_is_among_the_cases() -> None:
    assert {case[-1].kind for case in CASES} == set(Kind)


def test_random_bytes_are_parsed_without_a_crash(genq: Genq) -> None:
    answer = genq(
        *("parse", "--provider", "kling", "--operation", "text2video", "--kind", "query"),
        stdin=bytes(range(256)),
    )
    assert answer.code == 0
    assert answer.json["state"] is None
    assert answer.json["error"]["code"] == "bad_response"


def test_an_unknown_operation_lists_the_known_ones(genq: Genq) -> None:
    answer = genq("parse", "--provider", "kling", "--operation", "smell", "--kind", "query")
    assert (answer.code, answer.out) == (2, "")
    assert "kling has no such operation; it has " in answer.sentence
    assert "text2video" in answer.sentence


@pytest.mark.parametrize(
    ("look_up", "known"),
    [
        (lambda: operation_of("kling", "text2video", "kling.v9"), "it has kling"),
        (lambda: operation_of("klong", "text2video", None), "did you mean kling\\? There are flux"),
        (lambda: reply_kind("guess"), "there are submit, query, batch_query, find, cancel"),
    ],
)
def test_other_unknown_names_list_the_known_ones(look_up: Callable[[], object], known: str) -> None:
    with pytest.raises(CliError, match=known) as stop:
        look_up()
    assert stop.value.code is ExitCode.USAGE
