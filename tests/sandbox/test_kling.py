"""Kling's v1 protocol: the vendor's door, the relay's door, and what is behind both."""

import time
from typing import Any

import httpx
import jwt
import pytest

from ops.sandbox.handle import SandboxHandle
from tests.sandbox.callers import BEARER, KLING, KLING_RELAY

ACCESS_KEY = "sandbox-access-key"
SECRET_KEY = "sandbox-secret-key-of-32-letters"
FRAME = "iVBORw0KGgo="


def signed(secret: str = SECRET_KEY, **claims: Any) -> dict[str, str]:
    """What a caller sends that signs its own tokens."""
    now = int(time.time())
    claims = {"iss": ACCESS_KEY, "exp": now + 1800, "nbf": now - 5} | claims
    present = {name: value for name, value in claims.items() if value is not None}
    return {"authorization": f"Bearer {jwt.encode(present, secret, 'HS256')}"}


def submit(client: httpx.Client, headers: dict[str, str], **body: Any) -> httpx.Response:
    return client.post(KLING.path, json={"prompt": "a cat", **body}, headers=headers)


def test_the_envelope_from_submit_to_success(sandbox: SandboxHandle, client: httpx.Client) -> None:
    answer = KLING.submit(client, "a cat [seconds=300]", "job-1", duration="10").json()
    assert (answer["code"], answer["message"]) == (0, "SUCCEED")
    assert answer["data"]["task_status"] == "submitted"
    assert answer["data"]["task_info"] == {"external_task_id": "job-1"}
    sandbox.advance(300)
    data = KLING.look(client, answer["data"]["task_id"]).json()["data"]
    assert data["task_status"] == "succeed"
    assert data["updated_at"] - data["created_at"] == 300_000
    [video] = data["task_result"]["videos"]
    assert video["duration"] == "10.0"
    assert video["url"].startswith(f"{sandbox.url}/files/")


def test_a_task_is_found_by_its_own_id_and_by_ours(client: httpx.Client) -> None:
    task_id = KLING.created(client, "a cat", "job-1")
    by_ours = KLING.look(client, "job-1").json()["data"]
    assert by_ours["task_id"] == task_id
    assert KLING_RELAY.look(client, task_id).json()["data"]["task_id"] == task_id


def test_a_dropped_submit_can_be_found_by_our_id(client: httpx.Client) -> None:
    with pytest.raises(httpx.TransportError):
        KLING.submit(client, "a cat [drop]", "job-1")
    assert KLING.look(client, "job-1").json()["data"]["task_info"]["external_task_id"] == "job-1"
    assert KLING.look(client, "job-2").status_code == 404


@pytest.mark.parametrize("caller", [KLING, KLING_RELAY], ids=["vendor", "relay"])
def test_our_id_is_taken_once_for_each_account(
    caller: Any, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    caller.created(client, "a cat", "job-1")
    again = caller.submit(client, "a cat", "job-1")
    assert (again.status_code, again.json()["code"]) == (400, 1201)
    assert "external_task_id" in again.json()["message"]
    stats = sandbox.stats()
    assert (stats["paid_submits"], stats["refused_by_reason"]) == (1, {"duplicate": 1})
    other = {"authorization": "Bearer sk-other"}
    assert submit(client, other, external_task_id="job-1").json()["code"] == 0


def test_tasks_belong_to_an_account_and_to_an_operation(client: httpx.Client) -> None:
    task_id = KLING.created(client, "a cat", "job-1")
    other = {"authorization": "Bearer sk-other"}
    assert client.get(f"{KLING.path}/{task_id}", headers=other).json()["code"] == 1203
    elsewhere = client.get(f"/v1/videos/image2video/{task_id}", headers=BEARER)
    assert elsewhere.json()["code"] == 1203


def test_lists_come_in_pages(sandbox: SandboxHandle, client: httpx.Client) -> None:
    ids = [KLING.created(client, "a cat") for _ in range(5)]
    submit(client, {"authorization": "Bearer sk-other"})

    def page(**query: Any) -> list[str]:
        answer = client.get(KLING.path, params=query, headers=BEARER).json()
        return [task["task_id"] for task in answer["data"]]

    assert page() == ids[::-1]
    assert page(pageNum=2, pageSize=2) == [ids[2], ids[1]]
    assert page(pageNum=9) == []
    assert sandbox.stats()["list_looks"] == 3
    bad = client.get(KLING.path, params={"pageSize": 501}, headers=BEARER)
    assert (bad.status_code, bad.json()["code"]) == (400, 1201)


def test_an_image_can_be_moved(sandbox: SandboxHandle, client: httpx.Client) -> None:
    path = "/kling/v1/videos/image2video"
    answer = client.post(path, json={"image": FRAME, "prompt": "[seconds=0]"}, headers=BEARER)
    task = client.get(f"{path}/{answer.json()['data']['task_id']}", headers=BEARER).json()["data"]
    assert task["task_status"] == "succeed"
    assert sandbox.tasks()[0]["operation"] == "image2video"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("text2video", {"prompt": ""}),
        ("text2video", {"prompt": 5}),
        ("text2video", {"prompt": "x" * 2501}),
        ("text2video", {"prompt": "a cat", "duration": 5}),
        ("text2video", {"prompt": "a cat", "mode": "best"}),
        ("text2video", {"prompt": "a cat", "aspect_ratio": "4:3"}),
        ("image2video", {"prompt": "a cat"}),
        ("image2video", {"image": f"data:image/png;base64,{FRAME}"}),
        ("image2video", {"image": FRAME, "aspect_ratio": "1:1"}),
        ("text2video", ["a cat"]),
    ],
)
def test_a_bad_request_is_refused(
    operation: str, body: Any, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = client.post(f"/v1/videos/{operation}", json=body, headers=BEARER)
    assert (answer.status_code, answer.json()["code"]) == (400, 1201)
    assert sandbox.stats()["refused_by_reason"] == {"invalid": 1}


def test_the_prompts_of_the_shots_count_as_the_prompt(client: httpx.Client) -> None:
    shots = [{"index": 1, "prompt": "a cat"}, {"index": 2, "prompt": "[moderated]"}, 3]
    answer = submit(client, BEARER, prompt="", multi_shot=True, multi_prompt=shots)
    assert answer.json()["code"] == 1301


def test_a_signed_token_signs_in(client: httpx.Client) -> None:
    answer = submit(client, signed(), external_task_id="job-1")
    assert answer.json()["code"] == 0
    found = client.get(f"{KLING.path}/job-1", headers=signed(exp=int(time.time()) + 60))
    assert found.json()["data"]["task_id"] == answer.json()["data"]["task_id"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, 1001),
        ({"authorization": "Basic abc"}, 401, 1002),
        ({"authorization": "Bearer"}, 401, 1002),
        ({"authorization": "Bearer eyJ.not.token"}, 401, 1002),
        (signed(nbf=int(time.time()) + 600), 401, 1003),
        (signed(exp=int(time.time()) - 1), 401, 1004),
        (signed("another-secret-key-of-32-letters"), 401, 1000),
        (signed(iss="stranger"), 401, 1002),
        (signed(exp=None), 401, 1002),
        ({"authorization": "Bearer stranger"}, 401, 1000),
        ({"authorization": "Bearer rogue"}, 429, 1100),
        ({"authorization": "Bearer broke"}, 429, 1101),
    ],
)
def test_the_vendors_door(
    headers: dict[str, str], status: int, code: int, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(accepted_keys=["mine"], blocked_keys=["rogue"], no_credit_keys=["broke"])
    answer = submit(client, headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sandbox.stats()["refused_by_reason"] == {"key": 1}


def test_a_signer_can_be_blocked_and_needs_no_listing(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(accepted_keys=["mine"])
    assert submit(client, signed()).json()["code"] == 0
    sandbox.configure(blocked_keys=[ACCESS_KEY])
    assert submit(client, signed()).json()["code"] == 1100


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({}, 401, "未提供令牌"),
        ({"authorization": "Bearer stranger"}, 401, "无效的令牌"),
        ({"authorization": "Bearer broke"}, 401, "该令牌额度已用尽"),
    ],
)
def test_the_relays_door(
    headers: dict[str, str], status: int, said: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(accepted_keys=["mine"], no_credit_keys=["broke"])
    answer = client.post(KLING_RELAY.path, json={"prompt": "a cat"}, headers=headers)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_a_path_nobody_serves_is_a_json_404(client: httpx.Client) -> None:
    answer = client.post("/v1/videos/nothing", headers=BEARER, json={})
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
