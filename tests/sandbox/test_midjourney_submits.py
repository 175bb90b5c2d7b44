"""What the midjourney-proxy protocol takes beside imagine: submits, buttons, windows."""

from typing import Any

import httpx
import pytest

from ops.sandbox.handle import SandboxHandle
from tests.sandbox.callers import BEARER, MJ_DIRECT, MJ_STATION, Caller

DIRECT = {"mj-api-secret": "secret"}
FACES = [pytest.param(MJ_DIRECT, id="direct"), pytest.param(MJ_STATION, id="station")]
A, B = "data:image/png;base64,AAAA", "data:image/png;base64,BBBB"


def post(client: httpx.Client, caller: Caller, path: str, body: Any) -> httpx.Response:
    return client.post(path, json=body, headers=caller.headers)


def made(
    client: httpx.Client, sandbox: SandboxHandle, caller: Caller, path: str, body: dict[str, Any]
) -> dict[str, Any]:
    """The finished task of a submit that must be accepted."""
    answer = post(client, caller, path, body).raise_for_status().json()
    assert answer["code"] == 1
    sandbox.finish(answer["result"])
    return finished(client, caller, answer["result"])


def finished(client: httpx.Client, caller: Caller, task_id: str) -> dict[str, Any]:
    task = caller.look(client, task_id).raise_for_status().json()
    assert task["status"] == "SUCCESS"
    return task


def grid(client: httpx.Client, sandbox: SandboxHandle, caller: Caller) -> dict[str, Any]:
    return made(client, sandbox, caller, "/mj/submit/imagine", {"prompt": "a red kite"})


def pressed(
    client: httpx.Client,
    sandbox: SandboxHandle,
    caller: Caller,
    parent: dict[str, Any],
    part: str,
) -> dict[str, Any]:
    body = {"taskId": parent["id"], "customId": button(parent, part)}
    return made(client, sandbox, caller, "/mj/submit/action", body)


def button(task: dict[str, Any], part: str) -> str:
    """The id of the button whose id has this in it."""
    return next(each["customId"] for each in task["buttons"] if part in each["customId"])


def kind_of(client: httpx.Client, url: str) -> str:
    return client.get(url).raise_for_status().headers["content-type"]


@pytest.mark.parametrize("caller", FACES)
@pytest.mark.parametrize(
    ("path", "body", "action"),
    [
        ("/mj/submit/blend", {"base64Array": [A, B], "dimensions": "SQUARE"}, "BLEND"),
        ("/mj/submit/edits", {"prompt": "in winter", "image": A}, "EDITS"),
        ("/mj/insight-face/swap", {"sourceBase64": A, "targetBase64": B}, "SWAP_FACE"),
    ],
)
def test_what_makes_a_picture(
    path: str,
    body: dict[str, Any],
    action: str,
    *,
    caller: Caller,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    task = made(client, sandbox, caller, path, {**body, "state": "job-1"})
    assert task["action"] == action
    assert kind_of(client, task["imageUrl"]) == "image/png"
    assert bool(task["buttons"]) is (action != "SWAP_FACE")
    assert sandbox.paid("job-1") == 1


def test_a_proxy_also_shows_the_four_pictures_singly(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    singles = grid(client, sandbox, MJ_DIRECT)["imageUrls"]
    assert [kind_of(client, each["url"]) for each in singles] == ["image/png"] * 4
    assert "imageUrls" not in grid(client, sandbox, MJ_STATION)


@pytest.mark.parametrize("caller", FACES)
def test_texts_are_in_the_final_prompt(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    described = made(client, sandbox, caller, "/mj/submit/describe", {"base64": A})
    assert [described["properties"]["finalPrompt"].count(f"{n}️⃣ ") for n in (1, 2, 3, 4, 5)] == [
        1,
        1,
        1,
        1,
        0,
    ]
    assert described["promptEn"] == described["prompt"] == described["properties"]["finalPrompt"]
    shorter = made(client, sandbox, caller, "/mj/submit/shorten", {"prompt": "a very red kite"})
    text = shorter["properties"]["finalPrompt"]
    assert text.startswith("## Important tokens\n**a**")
    assert "\n## Shortened prompts\n1️⃣ a very\n\n2️⃣ a\n\n3️⃣ a" in text
    assert shorter["promptEn"] == "a very red kite"


@pytest.mark.parametrize("caller", FACES)
def test_videos_are_films_in_fields_of_their_own(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    order = {"prompt": "pan", "image": A, "batchSize": 2}
    task = made(client, sandbox, caller, "/mj/submit/video", order)
    assert task["videoUrl"] == task["videoUrls"][0]["url"]
    assert [kind_of(client, each["url"]) for each in task["videoUrls"]] == ["video/mp4"] * 2
    longer = {"prompt": "on", "action": "extend", "taskId": task["id"], "index": 1}
    assert len(made(client, sandbox, caller, "/mj/submit/video", longer)["videoUrls"]) == 4


def test_a_proxy_animates_shows_previews_and_picks_one(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    picture = pressed(client, sandbox, MJ_DIRECT, grid(client, sandbox, MJ_DIRECT), "upsample::1")
    previews = pressed(client, sandbox, MJ_DIRECT, picture, "animate_high::")
    assert (previews["action"], kind_of(client, previews["imageUrl"])) == ("VIDEO", "image/webp")
    picked = pressed(client, sandbox, MJ_DIRECT, previews, "video_virtual_upscale::2")
    assert (picked["action"], kind_of(client, picked["imageUrl"])) == ("UPSCALE", "video/mp4")
    assert picked["videoUrl"] is picked["videoUrls"] is None
    assert "animate_low_extend" in button(picked, "low_extend")


@pytest.mark.parametrize("caller", FACES)
@pytest.mark.parametrize(
    ("part", "action"),
    [
        ("upsample_v7_2x_subtle", "UPSCALE"),
        ("high_variation", "HIGH_VARIATION"),
        ("Outpaint::50", "ZOOM"),
        ("pan_left", "PAN"),
    ],
)
def test_a_button_makes_a_task_of_its_own(
    part: str, action: str, caller: Caller, *, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    parent = grid(client, sandbox, caller)
    picture = pressed(client, sandbox, caller, parent, "upsample::3")
    assert (picture["action"], picture["prompt"]) == ("UPSCALE", "a red kite")
    task = pressed(client, sandbox, caller, picture, part)
    assert task["action"] == action
    assert len({parent["id"], picture["id"], task["id"]}) == 3


@pytest.mark.parametrize("caller", FACES)
def test_a_change_is_a_button_by_its_number(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    parent = grid(client, sandbox, caller)
    for action, body in (
        ("UPSCALE", {"index": 2}),
        ("VARIATION", {"index": 4}),
        ("REROLL", {"index": 1}),
    ):
        order = {"taskId": parent["id"], "action": action, **body}
        assert made(client, sandbox, caller, "/mj/submit/change", order)["action"] == action


@pytest.mark.parametrize(
    ("caller", "part", "more", "code"),
    [
        pytest.param(MJ_DIRECT, "Inpaint", {}, 21, id="direct region"),
        pytest.param(MJ_STATION, "Inpaint", {}, 21, id="station region"),
        pytest.param(MJ_DIRECT, "CustomZoom", {}, 21, id="direct zoom"),
        pytest.param(MJ_STATION, "CustomZoom", {}, 21, id="station zoom"),
        pytest.param(MJ_DIRECT, "pan_up", {"enableRemix": True}, 21, id="direct remix"),
        pytest.param(MJ_STATION, "pan_up", {"enableRemix": True}, 1, id="station remix"),
    ],
)
def test_a_window_waits_unpaid_and_goes_on_under_its_id(
    caller: Caller,
    part: str,
    more: dict[str, Any],
    code: int,
    *,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    parent = grid(client, sandbox, caller)
    picture = pressed(client, sandbox, caller, parent, "upsample::1")
    body = {"taskId": picture["id"], "customId": button(picture, part), "state": "job-2", **more}
    answer = post(client, caller, "/mj/submit/action", body).json()
    assert answer["code"] == code
    task_id = answer["result"]
    sandbox.advance(3600)
    waiting = caller.look(client, task_id).json()
    assert (waiting["status"], waiting["progress"]) == ("MODAL", "0%")
    assert sandbox.paid("job-2") == 0
    told = {"taskId": task_id, "prompt": "a hat --zoom 1.5 [seconds=10]", "maskBase64": A}
    assert post(client, caller, "/mj/submit/modal", told).json()["result"] == task_id
    assert sandbox.paid("job-2") == 1
    sandbox.advance(5)
    assert caller.status(client, task_id) == "IN_PROGRESS"
    again = post(client, caller, "/mj/submit/modal", told).json()
    assert again["code"] == 4
    sandbox.advance(5)
    task = finished(client, caller, task_id)
    assert task["prompt"] == "a hat --zoom 1.5 [seconds=10]"
    assert sandbox.stats()["paid_again"] == 0


@pytest.mark.parametrize("caller", FACES)
@pytest.mark.parametrize(
    ("part", "told", "said"),
    [
        ("Inpaint", {"prompt": "a hat"}, "maskBase64 参数错误"),
        ("CustomZoom", {"prompt": "a hat"}, "prompt 参数错误"),
    ],
)
def test_a_window_wants_what_it_is_for(
    part: str,
    told: dict[str, Any],
    said: str,
    *,
    caller: Caller,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    parent = grid(client, sandbox, caller)
    picture = pressed(client, sandbox, caller, parent, "upsample::1")
    body = {"taskId": picture["id"], "customId": button(picture, part)}
    task_id = post(client, caller, "/mj/submit/action", body).json()["result"]
    refused = post(client, caller, "/mj/submit/modal", {"taskId": task_id, **told}).json()
    assert (refused["code"], refused["description"]) == (4, said)
    assert caller.status(client, task_id) == "MODAL"


def test_a_prompt_of_a_description_is_drawn(sandbox: SandboxHandle, client: httpx.Client) -> None:
    described = made(client, sandbox, MJ_DIRECT, "/mj/submit/describe", {"base64": A})
    body = {"taskId": described["id"], "customId": button(described, "PicReader::2")}
    task_id = post(client, MJ_DIRECT, "/mj/submit/action", body).json()["result"]
    assert post(client, MJ_DIRECT, "/mj/submit/modal", {"taskId": task_id}).json()["code"] == 1
    sandbox.finish(task_id)
    task = finished(client, MJ_DIRECT, task_id)
    assert task["prompt"] == "four squares in the manner of a woodcut --ar 1:1"


def test_what_a_relay_has_no_word_for(sandbox: SandboxHandle, client: httpx.Client) -> None:
    parent = grid(client, sandbox, MJ_STATION)
    picture = pressed(client, sandbox, MJ_STATION, parent, "upsample::1")
    body = {"taskId": picture["id"], "customId": button(picture, "animate_low")}
    answer = post(client, MJ_STATION, "/mj/submit/action", body)
    assert answer.status_code == 400
    assert "unknown_action:MJ::JOB::animate_low::1::" in answer.json()["error"]["message"]


def test_a_mark_is_no_task(sandbox: SandboxHandle, client: httpx.Client) -> None:
    parent = grid(client, sandbox, MJ_DIRECT)
    picture = pressed(client, sandbox, MJ_DIRECT, parent, "upsample::1")
    tasks = sandbox.stats()["tasks"]
    body = {"taskId": picture["id"], "customId": button(picture, "BOOKMARK")}
    answer = post(client, MJ_DIRECT, "/mj/submit/action", body).json()
    assert (answer["code"], answer["result"]) == (1, picture["id"])
    assert sandbox.stats()["tasks"] == tasks


@pytest.mark.parametrize("caller", FACES)
def test_an_upload_is_answered_with_addresses(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    body = {"base64Array": [A, B]}
    answer = post(client, caller, "/mj/submit/upload-discord-images", body).json()
    assert [kind_of(client, url) for url in answer["result"]] == ["image/png"] * 2
    assert len(set(answer["result"])) == 2
    stats = sandbox.stats()
    assert (stats["tasks"], stats["paid_submits"]) == (0, 1)


@pytest.mark.parametrize("caller", FACES)
def test_a_finished_picture_has_a_seed(
    caller: Caller, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    def seed(task_id: str) -> httpx.Response:
        return client.get(f"/mj/task/{task_id}/image-seed", headers=caller.headers)

    task = grid(client, sandbox, caller)
    answer = seed(task["id"]).json()
    assert answer["code"] == 1
    assert answer["result"].isdigit()
    early = seed(caller.created(client, "a cat"))
    assert (early.status_code, early.json()["description"]) == (400, "关联任务状态错误")
    text = made(client, sandbox, caller, "/mj/submit/describe", {"base64": A})
    assert seed(text["id"]).json() == {"code": 3, "description": "未找到 seed"}
    assert seed("1").status_code == (404 if caller is MJ_DIRECT else 400)
    assert sandbox.stats()["paid_submits"] == 3


@pytest.mark.parametrize(
    ("path", "body", "direct", "station"),
    [
        ("submit/blend", {"base64Array": [A]}, "图片参数错误，2~5张图片", None),
        (
            "submit/blend",
            {"base64Array": [A, B], "dimensions": "WIDE"},
            "dimensions参数错误",
            None,
        ),
        ("submit/describe", {}, "base64或link不能为空", None),
        ("submit/shorten", {}, "prompt不能为空", None),
        ("submit/edits", {"prompt": "x"}, "image或prompt不能为空", None),
        ("submit/video", {"image": A}, "Prompt 不能为空", None),
        ("submit/video", {"prompt": "x"}, "image 不能为空", None),
        ("submit/video", {"prompt": "x", "image": A, "batchSize": 3}, "batchSize 参数错误", None),
        ("submit/video", {"prompt": "x", "taskId": "1"}, "任务类型错误", None),
        ("submit/change", {"taskId": "1", "action": "ZOOM"}, "action 参数错误", None),
        (
            "submit/change",
            {"taskId": "1", "action": "UPSCALE"},
            "index 参数错误",
            "index_is_required ",
        ),
        (
            "submit/action",
            {"taskId": "1", "customId": "MJ::x"},
            "关联任务不存在或已失效",
            "task_not_found ",
        ),
        ("submit/modal", {"taskId": "1"}, "关联任务不存在或已失效", "task_not_found "),
        ("submit/upload-discord-images", {"base64Array": [1]}, "base64 参数错误", None),
        (
            "insight-face/swap",
            {"targetBase64": A},
            "人脸图片不能为空",
            "sour_base64_and_target_base64_is_required ",
        ),
        (
            "insight-face/swap",
            {"sourceBase64": A},
            "目标图片不能为空",
            "sour_base64_and_target_base64_is_required ",
        ),
        (
            "insight-face/swap",
            {"sourceBase64": A, "targetBase64": A},
            "人脸图片和目标图片不能相同",
            None,
        ),
    ],
)
def test_a_bad_submit_is_refused_in_the_words_of_its_face(
    path: str,
    body: dict[str, Any],
    direct: str,
    station: str | None,
    *,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    for headers, said in ((DIRECT, direct), (BEARER, station or direct)):
        answer = client.post(f"/mj/{path}", json=body, headers=headers)
        assert answer.json()["description"] == said
    stats = sandbox.stats()
    assert (stats["refused_by_reason"], stats["paid_submits"]) == ({"invalid": 2}, 0)


@pytest.mark.parametrize(
    ("caller", "said"),
    [(MJ_DIRECT, "关联任务状态错误"), (MJ_STATION, "task_status_not_success ")],
)
def test_only_a_finished_task_is_followed(
    caller: Caller, said: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    running = caller.created(client, "a cat")
    for path, body in (
        ("action", {"customId": "MJ::x"}),
        ("change", {"action": "REROLL", "index": 1}),
        ("modal", {"prompt": "x"}),
        ("video", {"prompt": "x", "action": "extend", "index": 0}),
    ):
        answer = post(client, caller, f"/mj/submit/{path}", {"taskId": running, **body})
        assert answer.json()["description"] == said


def test_a_button_of_another_task_is_unknown(sandbox: SandboxHandle, client: httpx.Client) -> None:
    one, other = (grid(client, sandbox, MJ_DIRECT) for _ in range(2))
    body = {"taskId": one["id"], "customId": button(other, "upsample::1")}
    answer = post(client, MJ_DIRECT, "/mj/submit/action", body).json()
    assert (answer["code"], answer["description"]) == (4, "未知的 Action 类型")


def test_a_follow_up_has_the_knobs_of_its_parents_prompt(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    parent = {"prompt": "a cat [seconds=7]"}
    task = made(client, sandbox, MJ_DIRECT, "/mj/submit/imagine", parent)
    body = {"taskId": task["id"], "customId": button(task, "variation::1")}
    task_id = post(client, MJ_DIRECT, "/mj/submit/action", body).json()["result"]
    sandbox.advance(6.9)
    assert MJ_DIRECT.status(client, task_id) == "IN_PROGRESS"
    sandbox.advance(0.2)
    assert MJ_DIRECT.status(client, task_id) == "SUCCESS"
