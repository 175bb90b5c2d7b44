"""Knobs that change what a submit is told, at every protocol and face."""

import time
from datetime import timedelta

import httpx
import pytest

from ops.sandbox.handle import SandboxHandle
from tests.sandbox.callers import CALLERS, KLING, KLING_RELAY, MJ_DIRECT, MJ_STATION, Caller
from tests.services.waiting import wait_for

every_caller = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)

SATURATED = "当前分组负载已饱和，请稍后再试，或升级账户以提升服务质量。"


@pytest.mark.parametrize(
    ("caller", "knob", "status", "said"),
    [
        (MJ_STATION, "throttle", 429, f'"description":"{SATURATED}","type":"upstream_error"'),
        (MJ_DIRECT, "throttle", 429, "Too Many Requests"),
        (KLING, "throttle", 429, '"code":1302'),
        (KLING_RELAY, "throttle", 429, '"code":1302'),
        (MJ_STATION, "queue-full", 200, '"code":23,"description":"队列已满'),
        (MJ_DIRECT, "queue-full", 200, '"code":23,"description":"队列已满'),
        (
            KLING,
            "queue-full",
            429,
            '"code":1303,"message":"parallel task over resource pack limit"',
        ),
        (MJ_STATION, "moderated", 200, '"code":24,"description":"可能包含敏感词"'),
        (MJ_DIRECT, "moderated", 200, '"code":24,"description":"可能包含敏感词"'),
        (KLING, "moderated", 400, '"code":1301'),
        (MJ_STATION, "invalid", 200, '"code":4'),
        (MJ_DIRECT, "invalid", 200, '"code":4'),
        (KLING, "invalid", 400, '"code":1201'),
        (MJ_STATION, "auth", 401, '"message":"无效的令牌'),
        (MJ_DIRECT, "auth", 401, ""),
        (KLING, "auth", 401, '"code":1000'),
        (KLING_RELAY, "auth", 401, '"message":"无效的令牌'),
        (MJ_STATION, "no-credit", 403, '"code":"insufficient_user_quota"'),
        (MJ_DIRECT, "no-credit", 200, '"code":3,"description":"无可用的账号实例"'),
        (KLING, "no-credit", 429, '"code":1102,"message":"Account balance not enough"'),
        (KLING_RELAY, "no-credit", 400, '"code":1102,"message":"Account balance not enough"'),
        (MJ_STATION, "html", 200, "<!doctype html>"),
        (KLING, "html", 200, "<!doctype html>"),
    ],
    ids=lambda value: value.name if isinstance(value, Caller) else None,
)
def test_a_refusal_is_worded_as_the_protocol_words_it(
    caller: Caller,
    knob: str,
    status: int,
    said: str,
    *,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    answer = caller.submit(client, f"a cat [{knob}]")
    assert answer.status_code == status
    assert said in answer.text
    stats = sandbox.stats()
    assert (stats["paid_submits"], stats["refused_by_reason"]) == (0, {knob: 1})


@every_caller
def test_throttling_says_when_to_come_back(caller: Caller, client: httpx.Client) -> None:
    assert caller.submit(client, "[throttle]").headers["retry-after"] == "1"


@every_caller
def test_a_numbered_refusal_ends_after_that_many(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    prompt = "a cat [throttle=2] [queue-full=1]"
    reasons = [caller.submit(client, prompt, "job-1") for _ in range(3)]
    assert [answer.status_code for answer in reasons[:2]] == [429, 429]
    assert caller.created(client, prompt, "job-1")
    assert sandbox.stats()["refused_by_reason"] == {"throttle": 2, "queue-full": 1}
    assert sandbox.paid("job-1") == 1


def test_refusals_are_counted_by_job_reference_and_else_by_prompt(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    def is_refused(prompt: str, reference: str | None) -> bool:
        return MJ_STATION.submit(client, prompt, reference).status_code == 429

    prompt = "a cat [throttle=1]"
    asked = [(prompt, "job-1"), (prompt, "job-1"), (prompt, "job-2"), (prompt, None)]
    assert [is_refused(*each) for each in asked] == [True, False, True, True]
    assert [is_refused(prompt, None), is_refused(f"{prompt} too", None)] == [False, True]


@every_caller
def test_a_dropped_submit_is_paid_and_never_answered(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    with pytest.raises(httpx.TransportError):
        caller.submit(client, "a cat [drop=1]", "job-1")
    assert sandbox.paid("job-1") == 1
    assert [task["reference"] for task in sandbox.tasks()] == ["job-1"]


@every_caller
def test_a_submit_dropped_before_creates_nothing(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    with pytest.raises(httpx.TransportError):
        caller.submit(client, "a cat [drop-before=1]", "job-1")
    assert sandbox.stats()["paid_submits"] == 0
    assert caller.created(client, "a cat [drop-before=1]", "job-1")


@every_caller
def test_a_bad_gateway_hides_a_paid_task(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = caller.submit(client, "a cat [bad-gateway]", "job-1")
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert sandbox.paid("job-1") == 1


@every_caller
def test_an_answer_can_lack_the_id(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = caller.submit(client, "a cat [no-id]", "job-1").raise_for_status()
    [task] = sandbox.tasks()
    assert task["id"] not in answer.text
    assert answer.json()["code"] in (0, 1)
    assert sandbox.paid("job-1") == 1


@every_caller
def test_a_slow_answer_comes_late_and_its_task_exists_before(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post(
            caller.path,
            json={"prompt": "a cat [slow=20]", caller.reference: "job-1"},
            headers=caller.headers,
            timeout=httpx.Timeout(20, read=0.1),
        )
    wait_for(lambda: sandbox.paid("job-1") == 1, timedelta(seconds=30), "the slow submit's task")
    begun = time.monotonic()
    assert caller.created(client, "a cat [slow=0.2]", "job-2")
    assert time.monotonic() - begun >= 0.2


def test_every_answer_can_be_delayed(sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(answer_delay_seconds=0.15)
    begun = time.monotonic()
    task_id = MJ_STATION.created(client, "a cat")
    assert time.monotonic() - begun >= 0.15
    assert MJ_STATION.look(client, task_id).elapsed.total_seconds() >= 0.15


def test_a_direct_proxy_queues_and_then_refuses(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(running_slots=1, waiting_slots=1)
    answers = [MJ_DIRECT.submit(client, "a cat [seconds=10]").json() for _ in range(3)]
    assert [answer["code"] for answer in answers] == [1, 22, 23]
    assert answers[1]["properties"]["numberOfQueues"] == 1
    assert sandbox.stats()["refused_by_reason"] == {"queue-full": 1}
    waiting = answers[1]["result"]
    sandbox.advance(9)
    assert MJ_DIRECT.status(client, waiting) == "NOT_START"
    sandbox.advance(9)
    assert MJ_DIRECT.status(client, waiting) == "IN_PROGRESS"
    sandbox.advance(2)
    assert MJ_DIRECT.status(client, waiting) == "SUCCESS"


def test_a_station_hides_that_a_task_waits(sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(running_slots=1)
    answers = [MJ_STATION.submit(client, "a cat").json() for _ in range(2)]
    assert [answer["code"] for answer in answers] == [1, 1]


def test_kling_has_places_for_each_account_and_no_queue(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(running_slots=1)
    first = KLING.created(client, "a cat")
    assert KLING.submit(client, "a cat").json()["code"] == 1303
    other = {"authorization": "Bearer sk-other"}
    answer = client.post(KLING.path, json={"prompt": "a cat"}, headers=other)
    assert answer.json()["code"] == 0
    sandbox.finish(first)
    assert KLING.submit(client, "a cat").json()["code"] == 0


def test_places_taken_away_and_given_back(sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(running_slots=1)
    MJ_DIRECT.created(client, "a cat [stuck]")
    waiting = MJ_DIRECT.created(client, "a cat [seconds=0]")
    assert MJ_DIRECT.status(client, waiting) == "NOT_START"
    sandbox.configure(running_slots=0)
    wait_for(
        lambda: MJ_DIRECT.status(client, waiting) == "SUCCESS", timedelta(seconds=30), "its turn"
    )
