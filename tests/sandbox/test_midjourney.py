"""The midjourney-proxy protocol, at both of its faces."""

from typing import Any

import httpx
import pytest

from ops.sandbox.handle import SandboxHandle
from tests.sandbox.callers import BEARER, MJ_DIRECT, MJ_STATION

DIRECT = {"mj-api-secret": "secret"}


def fetch_many(client: httpx.Client, ids: list[str], headers: dict[str, str] = BEARER) -> Any:
    answer = client.post("/mj/task/list-by-condition", json={"ids": ids}, headers=headers)
    return answer.raise_for_status().json()


def test_a_station_shows_a_task_the_way_it_stores_it(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    task_id = MJ_STATION.created(client, "a cat --ar 1:1 [seconds=100]", "job-1")
    assert len(task_id) == 16
    assert task_id.isdigit()
    fresh = MJ_STATION.look(client, task_id).json()
    blanks = {"status": "", "progress": "0%", "state": "", "startTime": 0, "finishTime": 0}
    assert fresh | blanks | {"imageUrl": "", "failReason": "", "buttons": []} == fresh
    sandbox.advance(50)
    running = MJ_STATION.look(client, task_id).json()
    assert (running["progress"], running["state"]) == ("46%", "job-1")
    assert "_progress_image_46.webp?ex=" in running["imageUrl"]
    sandbox.advance(50)
    done = MJ_STATION.look(client, task_id).json()
    assert (done["progress"], done["failReason"], done["videoUrls"]) == ("100%", "", None)
    assert done["finishTime"] - done["startTime"] == 100_000
    assert done["properties"] == {"finalPrompt": done["prompt"], "finalZhPrompt": ""}
    assert [button["label"] for button in done["buttons"][:4]] == ["U1", "U2", "U3", "U4"]
    assert done["buttons"][0]["customId"].startswith("MJ::JOB::upsample::1::")


def test_a_proxy_shows_what_is_not_set_as_null(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    task_id = MJ_DIRECT.created(client, "a cat [seconds=100]", "job-1")
    fresh = MJ_DIRECT.look(client, task_id).json()
    blanks = {"status": "NOT_START", "state": "job-1", "startTime": None, "finishTime": None}
    assert fresh | blanks | {"imageUrl": None, "failReason": None} == fresh
    assert fresh["properties"]["botType"] == "MID_JOURNEY"


@pytest.mark.parametrize(("caller", "progress"), [(MJ_STATION, "100%"), (MJ_DIRECT, "")])
def test_the_progress_of_a_failed_task_differs(
    caller: Any, progress: str, client: httpx.Client
) -> None:
    task_id = caller.created(client, "a cat [seconds=0] [fail]")
    assert caller.look(client, task_id).json()["progress"] == progress


def test_many_tasks_in_one_look_and_unknown_ones_left_out(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    ids = [MJ_STATION.created(client, f"cat {number}") for number in range(3)]
    lost = MJ_STATION.created(client, "a cat [lost]")
    found = fetch_many(client, [*ids, ids[0], lost, "1"])
    assert sorted(task["id"] for task in found) == sorted(ids)
    assert fetch_many(client, []) == []
    stats = sandbox.stats()
    assert (stats["batch_looks"], stats["looks"]) == (2, 0)
    assert stats["looks_by_task"] == dict.fromkeys([*ids, lost], 1)


def test_a_station_shows_each_key_its_own_tasks(client: httpx.Client) -> None:
    task_id = MJ_STATION.created(client, "a cat")
    other = {"authorization": "Bearer sk-other"}
    assert client.get(f"/mj/task/{task_id}/fetch", headers=other).status_code == 400
    assert fetch_many(client, [task_id], other) == []
    assert MJ_DIRECT.look(client, task_id).json()["id"] == task_id


@pytest.mark.parametrize("mode", ["mj-fast", "mj-relax", "mj-turbo"])
def test_speed_modes_are_prefixes(mode: str, sandbox: SandboxHandle, client: httpx.Client) -> None:
    answer = client.post(f"/{mode}/mj/submit/imagine", json={"prompt": "a cat"}, headers=BEARER)
    task_id = answer.json()["result"]
    assert MJ_STATION.look(client, task_id).json()["action"] == "IMAGINE"
    assert client.get(f"/{mode}/mj/task/{task_id}/fetch", headers=BEARER).json()["id"] == task_id
    operations = {"mj-fast": "imagine", "mj-relax": "imagine.relax", "mj-turbo": "imagine.turbo"}
    assert sandbox.tasks()[0]["operation"] == operations[mode]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/mj/submit/retexture"),
        ("POST", "/mj/submit/simple-change"),
        ("POST", "/mj/submit/swap"),
        ("GET", "/mj/submit/imagine"),
        ("POST", "/fast/mj/submit/imagine"),
        ("GET", "/mj/task/list"),
        ("POST", "/mj/task/1/cancel"),
        ("GET", "/"),
    ],
)
def test_what_a_station_does_not_have_is_its_dashboard(
    method: str, path: str, client: httpx.Client
) -> None:
    answer = client.request(method, path, headers=BEARER, json={})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_what_a_proxy_does_not_have_is_not_found(client: httpx.Client) -> None:
    assert client.post("/mj/submit/dream", headers=DIRECT, json={}).status_code == 404


def test_a_proxy_lists_its_newest_tasks(sandbox: SandboxHandle, client: httpx.Client) -> None:
    ids = [MJ_DIRECT.created(client, "a cat", f"job-{number}") for number in range(3)]
    MJ_DIRECT.created(client, "a cat [lost]")
    listed = client.get("/mj/task/list", headers=DIRECT).json()
    assert [task["id"] for task in listed] == ids[::-1]
    assert [task["state"] for task in listed] == ["job-2", "job-1", "job-0"]
    assert sandbox.stats()["list_looks"] == 1


def test_a_proxy_cancels_once(client: httpx.Client) -> None:
    task_id = MJ_DIRECT.created(client, "a cat")
    cancels = [client.post(f"/mj/task/{task_id}/cancel", headers=DIRECT) for _ in range(2)]
    assert [(answer.status_code, answer.json()["code"]) for answer in cancels] == [
        (200, 1),
        (400, 4),
    ]
    task = MJ_DIRECT.look(client, task_id).json()
    assert (task["status"], task["failReason"]) == ("FAILURE", "取消任务")
    unknown = client.post("/mj/task/1/cancel", headers=DIRECT)
    assert (unknown.status_code, unknown.json()["code"]) == (404, 3)


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        (BEARER, b'{"prompt":" "}', 400, '"description":"prompt_is_required "'),
        (BEARER, b"prompt", 400, '"description":"bind_request_body_failed "'),
        (BEARER, b"[]", 400, '"description":"bind_request_body_failed "'),
        (DIRECT, b'{"prompt":""}', 200, '"code":4,"description":"prompt不能为空"'),
        (DIRECT, b"", 400, ""),
        (
            BEARER,
            b'{"prompt":"a cat","state":"' + b"x" * 256 + b'"}',
            200,
            "State参数过长，最大255字符",
        ),
    ],
)
def test_a_bad_submit_is_refused(
    headers: dict[str, str],
    body: bytes,
    status: int,
    said: str,
    *,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    answer = client.post("/mj/submit/imagine", content=body, headers=headers)
    assert answer.status_code == status
    assert said in answer.text
    assert sandbox.stats()["refused_by_reason"] == {"invalid": 1}


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({}, 401, "未提供令牌"),
        ({"authorization": "Bearer stranger"}, 401, "无效的令牌"),
        ({"authorization": "Bearer rogue"}, 403, "用户已被封禁"),
        ({"authorization": "Bearer broke"}, 401, "该令牌额度已用尽"),
        ({"mj-api-secret": "stranger"}, 401, ""),
        ({"mj-api-secret": "rogue"}, 401, "账号已禁用"),
        ({"mj-api-secret": "broke"}, 200, "无可用的账号实例"),
    ],
)
def test_keys_that_may_not_submit(
    headers: dict[str, str], status: int, said: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(accepted_keys=["mine"], blocked_keys=["rogue"], no_credit_keys=["broke"])
    answer = client.post("/mj/submit/imagine", json={"prompt": "a cat"}, headers=headers)
    assert answer.status_code == status
    assert said in answer.text
    stats = sandbox.stats()
    assert (stats["paid_submits"], stats["refused_by_reason"]) == (0, {"key": 1})


def test_an_account_without_credit_may_still_look(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    task_id = MJ_STATION.created(client, "a cat")
    sandbox.configure(no_credit_keys=["sk-tests"])
    assert MJ_STATION.look(client, task_id).json()["id"] == task_id
    sandbox.configure(blocked_keys=["sk-tests"])
    assert MJ_STATION.look(client, task_id).status_code == 403
    assert fetch_many_status(client, task_id) == 403


def fetch_many_status(client: httpx.Client, task_id: str) -> int:
    body = {"ids": [task_id]}
    return client.post("/mj/task/list-by-condition", json=body, headers=BEARER).status_code


@pytest.mark.parametrize(
    ("face", "headers", "status"),
    [
        ("station", {"mj-api-secret": "secret"}, ""),
        ("station", {"authorization": "midjourney-proxy", "mj-api-secret": "secret"}, ""),
        ("station", {"authorization": "sk-raw"}, ""),
        ("direct", {"mj-api-secret": "secret"}, "NOT_START"),
        ("direct", {"authorization": "Bearer sk", "mj-api-secret": "secret"}, "NOT_START"),
        ("auto", {"authorization": "Bearer sk", "mj-api-secret": "secret"}, ""),
        ("auto", {"authorization": "midjourney-proxy", "mj-api-secret": "secret"}, "NOT_START"),
    ],
)
def test_the_face_follows_the_settings_or_the_credentials(
    face: str, headers: dict[str, str], status: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(midjourney_face=face)
    answer = client.post("/mj/submit/imagine", json={"prompt": "a cat"}, headers=headers)
    task = client.get(f"/mj/task/{answer.json()['result']}/fetch", headers=headers).json()
    assert task["status"] == status


def test_a_direct_proxy_does_not_know_bearer_keys(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(midjourney_face="direct")
    assert MJ_STATION.submit(client, "a cat").status_code == 401
