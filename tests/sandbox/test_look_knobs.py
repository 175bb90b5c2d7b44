"""Knobs and settings that change what a look is told, and what becomes of the task."""

import time

import httpx
import pytest

from ops.sandbox.handle import SandboxHandle
from tests.sandbox.callers import (
    BEARER,
    CALLERS,
    KLING,
    KLING_RELAY,
    MJ_DIRECT,
    MJ_STATION,
    Caller,
)

every_caller = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)


@every_caller
def test_looks_can_fail_be_throttled_and_be_garbled_before_they_work(
    caller: Caller, client: httpx.Client
) -> None:
    prompt = "a cat [look-errors=2] [look-throttle=1] [look-garbage=1]"
    task_id = caller.created(client, prompt)
    looks = [caller.look(client, task_id) for _ in range(5)]
    assert [look.status_code for look in looks] == [502, 502, 429, 200, 200]
    assert "<html>" in looks[0].text
    assert looks[2].headers["retry-after"] == "1"
    with pytest.raises(ValueError):
        looks[3].json()
    assert caller.status_of(looks[4].json()) is not None


@pytest.mark.parametrize(
    ("caller", "status", "said"),
    [
        (MJ_STATION, 400, '{"description":"task_no_found ","type":"upstream_error","code":4}'),
        (MJ_DIRECT, 200, ""),
        (KLING, 404, '"code":1203'),
        (KLING_RELAY, 404, '"code":1203'),
    ],
    ids=lambda value: value.name if isinstance(value, Caller) else None,
)
def test_a_lost_task_is_as_unknown_as_one_that_never_was(
    caller: Caller, status: int, said: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    for task_id in (caller.created(client, "a cat [lost]", "job-1"), "179000000000000000"):
        answer = caller.look(client, task_id)
        assert answer.status_code == status
        assert said in answer.text
    stats = sandbox.stats()
    assert (stats["paid_submits"], stats["unknown_looks"]) == (1, 2)


@every_caller
def test_a_task_can_be_lost_for_some_looks_only(caller: Caller, client: httpx.Client) -> None:
    task_id = caller.created(client, "a cat [lost=2]")
    found = [task_id in caller.look(client, task_id).text for _ in range(3)]
    assert found == [False, False, True]


@every_caller
def test_looks_can_be_slow(caller: Caller, client: httpx.Client) -> None:
    task_id = caller.created(client, "a cat [slow-look=0.2]")
    assert caller.look(client, task_id).elapsed.total_seconds() >= 0.2


def test_looks_can_hang(sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(look_hang_seconds=0.8)
    task_id = MJ_STATION.created(client, "a cat [hang-look=1]")
    first, second = (MJ_STATION.look(client, task_id) for _ in range(2))
    assert first.elapsed.total_seconds() >= 0.8 > second.elapsed.total_seconds()
    assert first.json()["id"] == task_id


def test_a_share_of_all_looks_fails(sandbox: SandboxHandle, client: httpx.Client) -> None:
    task_id = MJ_STATION.created(client, "a cat")
    sandbox.configure(look_fail_rate=0.25)
    statuses = [MJ_STATION.look(client, task_id).status_code for _ in range(200)]
    assert 45 <= statuses.count(502) <= 55
    assert statuses.count(200) == 200 - statuses.count(502)


def test_a_share_of_all_looks_hangs(sandbox: SandboxHandle, client: httpx.Client) -> None:
    task_id = MJ_STATION.created(client, "a cat")
    sandbox.configure(look_hang_rate=0.1, look_hang_seconds=0.1)
    begun = time.monotonic()
    looks = [MJ_STATION.look(client, task_id) for _ in range(40)]
    assert 0.3 <= time.monotonic() - begun < 40 * 0.1
    assert {look.status_code for look in looks} == {200}


@pytest.mark.parametrize(
    ("caller", "prompt", "words"),
    [
        (MJ_STATION, "", ["", "SUBMITTED", "IN_PROGRESS", "IN_PROGRESS", "SUCCESS"]),
        (MJ_DIRECT, "", ["NOT_START", "SUBMITTED", "IN_PROGRESS", "IN_PROGRESS", "SUCCESS"]),
        (KLING, "", ["submitted", "submitted", "processing", "processing", "succeed"]),
        (
            MJ_STATION,
            "[unknown-status]",
            ["", "SUBMITTED", "IN_PROGRESS", "MARINATING", "SUCCESS"],
        ),
        (
            KLING,
            "[unknown-status]",
            ["submitted", "submitted", "processing", "marinating", "succeed"],
        ),
        (MJ_STATION, "[fail]", ["", "SUBMITTED", "IN_PROGRESS", "IN_PROGRESS", "FAILURE"]),
        (KLING, "[fail]", ["submitted", "submitted", "processing", "processing", "failed"]),
        (MJ_STATION, "[stuck]", ["", "SUBMITTED", *["IN_PROGRESS"] * 3]),
        (KLING, "[stuck]", ["submitted", "submitted", *["processing"] * 3]),
    ],
)
def test_the_life_of_a_task_in_the_words_of_its_protocol(
    caller: Caller, prompt: str, words: list[str], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    task_id = caller.created(client, f"a cat [seconds=100] {prompt}")
    seen: list[str] = []
    for step in (0, 3, 7, 40, 50):
        sandbox.advance(step)
        seen.append(caller.status(client, task_id))
    assert seen == words


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("[fail=the dog ate it]", "the dog ate it"),
        ("[fail]", "the sandbox failed this task"),
        ("[moderated-late]", {"mj": "Banned prompt", "kling": "risk control system"}),
    ],
)
@every_caller
def test_a_failed_task_says_why(
    caller: Caller, prompt: str, said: str | dict[str, str], client: httpx.Client
) -> None:
    reason = said if isinstance(said, str) else said[caller.name.split()[0]]
    task_id = caller.created(client, f"a cat [seconds=0] {prompt}")
    answer = caller.look(client, task_id).json()
    field = answer["failReason"] if "failReason" in answer else answer["data"]["task_status_msg"]
    assert reason in field


@every_caller
def test_a_success_can_come_without_a_url(caller: Caller, client: httpx.Client) -> None:
    task_id = caller.created(client, "a cat [seconds=0] [no-url]")
    answer = caller.look(client, task_id)
    assert caller.status_of(answer.json()) in ("SUCCESS", "succeed")
    assert "http://" not in answer.text


def test_the_trouble_of_one_task_is_the_trouble_of_the_whole_batch(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    good = MJ_STATION.created(client, "a cat")
    bad = MJ_STATION.created(client, "a dog [look-errors=1]")
    ids = {"ids": [good, bad]}
    answers = [
        client.post("/mj/task/list-by-condition", json=ids, headers=BEARER) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [502, 200]
    assert {task["id"] for task in answers[1].json()} == {good, bad}
