"""Batches on the command line and in Python, against a real API, worker and station."""

import json
from pathlib import Path
from typing import Any

import genq
import pytest

from ops.cli.batches import read_lines
from ops.cli.exit_codes import CliError, ExitCode
from tests.cli.conftest import KEY, Deployment
from tests.cli.script import Genq


def line(prompt: str, **fields: Any) -> str:
    return json.dumps({**genq.order("midjourney.imagine", {"prompt": prompt}), **fields})


@pytest.fixture
def caller(deployment: Deployment) -> Genq:
    return deployment.caller


def test_batch_submit_wait_and_get(caller: Genq, tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join([line("a boat"), "", line("a boat [fail=no more paint]"), ""]))
    batch_id = caller("batch", "submit", str(file)).out.strip()
    assert batch_id.startswith("batch_")
    ended = caller("batch", "wait", batch_id, "--json", "--timeout", "30")
    assert ended.code == ExitCode.FAILED
    assert sorted(json.loads(each)["state"] for each in ended.out.splitlines()) == [
        "failed",
        "succeeded",
    ]
    shown = caller("batch", "get", batch_id)
    assert shown.code == ExitCode.OK
    assert "1 failed, 1 succeeded" in shown.out
    assert "no more paint" in shown.out
    document = caller("batch", "get", batch_id, "--json").json
    assert (document["total"], document["done"]) == (2, True)


def test_more_than_100_jobs_become_several_batches_without_duplicates(caller: Genq) -> None:
    content = "\n".join(line(f"boat {n} [stuck]") for n in range(101)).encode()
    submit = ("batch", "submit", "-", "--idempotency-key", "fleet", "--json")
    first, again = (caller(*submit, stdin=content) for _ in range(2))
    assert first.code == ExitCode.OK, first.err
    batches = [json.loads(each) for each in first.out.splitlines()]
    assert [each["total"] for each in batches] == [100, 1]
    assert [json.loads(each)["id"] for each in again.out.splitlines()] == [
        each["id"] for each in batches
    ]
    for each in batches:
        canceled = caller("batch", "cancel", each["id"])
        assert canceled.code == ExitCode.OK
        assert each["id"] in canceled.out
        caller("batch", "wait", each["id"], "--timeout", "30")
        assert caller("batch", "get", each["id"], "--json").json["done"]


def test_rejected_jobs_are_reported_by_line_number(caller: Genq) -> None:
    content = "\n\n".join([line("a boat"), line("a boat", provider="nobody")]).encode()
    refused = caller("batch", "submit", "-", stdin=content)
    assert (refused.code, refused.out) == (ExitCode.REFUSED, "")
    assert "standard input, line 3: provider: there is no such provider" in refused.sentence
    partly = caller("batch", "submit", "-", "--each", stdin=content)
    assert partly.code == ExitCode.FAILED
    assert partly.out.startswith("batch_")
    assert "standard input, line 3 was rejected: provider: there is no" in partly.sentence
    unknown = caller("batch", "get", "batch_1")
    assert (unknown.code, unknown.out) == (ExitCode.REFUSED, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\n \n", "contains no jobs"),
        (b'{}\n{"a": }\n', "line 2 is not JSON"),
        (b"[1]", "line 1 is not a JSON object"),
        (b'\n{"provider": "a", "provider": "b"}', "line 2 is not JSON: 'provider' is given twice"),
    ],
)
def test_an_invalid_batch_file_is_rejected(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "orders").write_bytes(content)
    with pytest.raises(CliError, match=words) as stop:
        read_lines(str(tmp_path / "orders"), "orders")
    assert stop.value.code is ExitCode.USAGE


async def test_python_clients_submit_batches(deployment: Deployment) -> None:
    orders = [genq.order("midjourney.imagine", {"prompt": f"a boat {n}"}) for n in range(3)]
    with genq.Client(deployment.api_url, KEY) as client:
        first = client.submit_batch(orders, idempotency_key="three-boats")
        assert [job.document["input"]["prompt"] for job in first.jobs] == [
            "a boat 0",
            "a boat 1",
            "a boat 2",
        ]
        partly = client.submit_batch([orders[0], {"provider": "nobody"}], each=True)
        assert (partly.total, [each.index for each in partly.rejected]) == (1, [1])
        assert "is required" in partly.rejected[0].detail
    async with genq.AsyncClient(deployment.api_url, KEY) as client:
        again = await client.submit_batch(orders, idempotency_key="three-boats")
        assert again.id == first.id
        for job in first.jobs:
            await client.wait(job.id, 30)
        ended = await client.get_batch(first.id)
        assert (ended.done, ended.counts) == (True, {"succeeded": 3})
        assert (await client.cancel_batch(first.id)).counts == {"succeeded": 3}
        listed = [job.id async for job in client.list(batch=first.id)]
        assert listed == [job.id for job in first.jobs][::-1]
