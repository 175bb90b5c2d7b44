"""The control endpoints: settings, time, counts, and forgetting."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ops.sandbox.app import create_app
from ops.sandbox.config import SandboxConfig
from ops.sandbox.handle import SandboxHandle
from tests.sandbox.callers import BEARER, KLING, MJ_STATION
from tests.services.waiting import wait_for


def about(client: httpx.Client) -> dict[str, Any]:
    return dict(client.get("/_sandbox/").raise_for_status().json())


def test_the_station_says_what_it_is(client: httpx.Client) -> None:
    page = about(client)
    assert page["operations"]["midjourney.imagine"] == 40
    assert page["operations"]["kling.text2video"] == 319
    assert page["knobs"]["[slow=S]"]
    assert "POST /_sandbox/reset" in page["control"]


def test_keys_are_not_shown(sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(accepted_keys=["my-key"], blocked_keys=["rogue-key"])
    for path in ("/_sandbox/", "/_sandbox/stats", "/_sandbox/tasks"):
        assert "-key" not in client.get(path).text.replace("-keys", "")
    assert about(client)["settings"]["accepted_keys"] == "1 listed"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"speed": -1}, "speed"),
        ({"speed": "fast"}, "speed"),
        ({"spead": 1}, "spead"),
        ({"_env_file": "somewhere"}, "_env_file"),
        ({"durations": {"midjourney.paint": 1}}, "durations.midjourney.paint"),
        ({"durations": {"midjourney.imagine": -1}}, "durations.midjourney.imagine"),
        ({"look_fail_rate": 2}, "look_fail_rate"),
        ({"midjourney_face": "sad"}, "midjourney_face"),
        ({"kling_access_keys": {"ak": "short"}}, "kling_access_keys.ak"),
    ],
)
def test_a_bad_setting_is_named_and_changes_nothing(
    changes: dict[str, Any], field: str, client: httpx.Client
) -> None:
    before = about(client)["settings"]
    answer = client.post("/_sandbox/configure", json={"tasks_kept": 7, **changes})
    assert answer.status_code == 400
    assert [*answer.json()["fields"]] == [field]
    assert about(client)["settings"] == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("configure", b"speed=1"),
        ("configure", b"[]"),
        ("advance", b"{}"),
        ("advance", b'{"seconds": -1}'),
        ("advance", b'{"seconds": "1"}'),
        ("advance", b'{"seconds": 1e999}'),
    ],
)
def test_what_control_does_not_understand_is_refused(
    path: str, body: bytes, client: httpx.Client
) -> None:
    answer = client.post(f"/_sandbox/{path}", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_an_unknown_control_endpoint_points_to_the_page(client: httpx.Client) -> None:
    answer = client.get("/_sandbox/nothing")
    assert answer.status_code == 404
    assert "/_sandbox/" in answer.json()["error"]


def test_time_stands_still_jumps_and_runs(sandbox: SandboxHandle, client: httpx.Client) -> None:
    before = about(client)["time"]
    sandbox.advance(1000)
    assert about(client)["time"] == pytest.approx(before + 1000, abs=1e-3)
    sandbox.configure(speed=2000)
    task_id = MJ_STATION.created(client, "a cat [seconds=600]")
    wait_for(
        lambda: MJ_STATION.status(client, task_id) == "SUCCESS", timedelta(seconds=30), "success"
    )
    assert about(client)["time"] >= before + 1600
    sandbox.configure(speed=0)
    assert about(client)["time"] == about(client)["time"]


def test_a_duration_can_be_set(sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(durations={"kling.text2video": 8})
    task_id = KLING.created(client, "a cat")
    sandbox.advance(5.9)
    assert KLING.status(client, task_id) == "processing"
    sandbox.advance(4.2)
    assert KLING.status(client, task_id) == "succeed"


def test_a_duration_of_nothing_is_refused_at_the_start_too() -> None:
    with pytest.raises(ValueError, match=r"midjourney\.paint is no operation"):
        create_app(SandboxConfig(durations={"midjourney.paint": 1}))


def test_a_task_can_be_ended_by_hand(sandbox: SandboxHandle, client: httpx.Client) -> None:
    stuck = MJ_STATION.created(client, "a cat [stuck]")
    failing = KLING.created(client, "a cat [fail]", "job-1")
    sandbox.finish(stuck)
    sandbox.finish("job-1")
    assert MJ_STATION.status(client, stuck) == "SUCCESS"
    assert KLING.status(client, failing) == "failed"
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        sandbox.finish("nobody")


def test_reset_forgets_everything_and_restores_the_settings(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(speed=3, running_slots=1)
    MJ_STATION.submit(client, "a cat [throttle=1]", "job-1")
    task_id = MJ_STATION.created(client, "a cat [throttle=1]", "job-1")
    sandbox.reset()
    assert MJ_STATION.look(client, task_id).status_code == 400
    sandbox.reset()
    stats = sandbox.stats()
    assert (stats["paid_submits"], stats["tasks"], stats["paid_by_reference"]) == (0, 0, {})
    settings = about(client)["settings"]
    assert (settings["speed"], settings["running_slots"]) == (0, 0)
    assert MJ_STATION.submit(client, "a cat [throttle=1]", "job-1").status_code == 429


def test_tasks_are_shown_newest_first(sandbox: SandboxHandle, client: httpx.Client) -> None:
    MJ_STATION.created(client, "a cat", "job-1")
    KLING.created(client, "a dog", "job-2")
    assert [task["reference"] for task in sandbox.tasks()] == ["job-2", "job-1"]
    assert sandbox.tasks()[0] | {"provider": "kling", "phase": "queued"} == sandbox.tasks()[0]
    assert len(client.get("/_sandbox/tasks?limit=1").json()["tasks"]) == 1
    assert client.get("/_sandbox/tasks?limit=x").status_code == 400


def test_old_ended_tasks_are_forgotten_and_running_ones_kept(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(tasks_kept=10)
    running = [KLING.created(client, "a cat", f"running-{number}") for number in range(3)]
    ended = [KLING.created(client, "a cat [seconds=0]", f"ended-{n}") for n in range(40)]
    stats = sandbox.stats()
    assert 10 <= stats["tasks"] <= 12
    assert stats["paid_submits"] == 43
    assert [KLING.look(client, task_id).status_code for task_id in running] == [200] * 3
    assert KLING.look(client, ended[0]).status_code == 404
    assert KLING.look(client, "ended-0").status_code == 404
    assert KLING.look(client, "ended-39").status_code == 200


def test_the_brief_stats_leave_out_what_grows(sandbox: SandboxHandle, client: httpx.Client) -> None:
    MJ_STATION.look(client, MJ_STATION.created(client, "a cat", "job-1"))
    brief = client.get("/_sandbox/stats?brief=1").json()
    whole = sandbox.stats()
    assert {name: whole[name] for name in brief} == brief
    assert whole.keys() - brief.keys() == {"paid_by_reference", "looks_by_task"}


async def test_the_ledger_is_exact_however_many_submit_at_once(sandbox: SandboxHandle) -> None:
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=20, trust_env=False) as client:

        async def submit(number: int) -> int:
            body = {"prompt": "a cat [queue-full=1]", "state": f"job-{number % 50}"}
            answer = await client.post("/mj/submit/imagine", json=body, headers=BEARER)
            return int(answer.json()["code"])

        codes = await asyncio.gather(*(submit(number) for number in range(200)))
    assert (codes.count(1), codes.count(23)) == (150, 50)
    stats = await asyncio.to_thread(sandbox.stats)
    assert (stats["paid_submits"], stats["refused_submits"]) == (150, 50)
    assert stats["paid_by_provider"] == {"midjourney": 150}
    assert stats["paid_by_reference"] == {f"job-{number}": 3 for number in range(50)}
    assert stats["paid_again"] == 100
    assert stats["tasks"] == 150
    assert len({task["id"] for task in await asyncio.to_thread(sandbox.tasks)}) == 150
