"""What an order for a video from words may hold, and what is sent for it, compared whole."""

import json
from datetime import timedelta
from typing import Any, cast

import pytest
from pydantic import ValidationError

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Fault, Throttled, UnrecognizedReply
from generation.contract.operation import Operation, Order, Task
from generation.contract.reply import Reply
from generation.contract.status import Asset, AssetType, Failed, Running, Succeeded
from generation.providers import find
from generation.providers.kling.operations import OPERATIONS
from generation.providers.kling.reply import read_batch
from generation.providers.kling.requests.fields import KlingRequest
from generation.providers.kling.requests.video import Text2Video

DIALECTS = ("kling.v1", "kling.relay")
PATH = "/v1/videos/text2video"
ORDER = Order(job_id="01JZ8Q4W7Y6T5R4E3W2Q1A0S9D")
SHOTS = [
    {"index": 1, "prompt": "a door opens", "duration": "2"},
    {"index": 2, "prompt": "a cat walks in", "duration": 3},
]


def text2video(dialect: str = "kling.v1") -> Operation[KlingRequest]:
    operation = find("kling", "text2video", dialect)
    assert operation is not None
    return operation


def submitted(order: Order = ORDER, **fields: Any) -> Call:
    return text2video().build_submit(Text2Video.model_validate(fields), order)


def complaints(**fields: Any) -> dict[str, str]:
    """Message by path of the field at fault; empty where the request is fine."""
    try:
        Text2Video.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


class TestSubmit:
    def test_a_prompt_is_sent_with_the_defaults_it_is_charged_for(self) -> None:
        assert submitted(prompt="a cat") == Call(
            "POST",
            PATH,
            {
                "model_name": "kling-v1",
                "prompt": "a cat",
                "mode": "std",
                "aspect_ratio": "16:9",
                "duration": "5",
                "external_task_id": ORDER.job_id,
            },
        )

    def test_everything_is_sent_as_it_was_asked(self) -> None:
        call = submitted(
            Order("job-1", callback_url="https://genq.test.invalid/callbacks/x"),
            model_name="kling-v2-6",
            prompt="a cat says <<<voice_1>>>",
            negative_prompt="dogs",
            cfg_scale=0.7,
            mode="pro",
            sound="on",
            aspect_ratio="9:16",
            duration=10,
            camera_control={"type": "simple", "config": {"zoom": -2.5}},
            multi_shot=False,
            voice_list=[{"voice_id": "v-1"}],
            watermark_info={"enabled": True},
        )
        assert call == Call(
            "POST",
            PATH,
            {
                "model_name": "kling-v2-6",
                "prompt": "a cat says <<<voice_1>>>",
                "negative_prompt": "dogs",
                "cfg_scale": 0.7,
                "mode": "pro",
                "sound": "on",
                "aspect_ratio": "9:16",
                "duration": "10",
                "camera_control": {
                    "type": "simple",
                    "config": {
                        "horizontal": 0,
                        "vertical": 0,
                        "pan": 0,
                        "tilt": 0,
                        "roll": 0,
                        "zoom": -2.5,
                    },
                },
                "multi_shot": False,
                "voice_list": [{"voice_id": "v-1"}],
                "watermark_info": {"enabled": True},
                "external_task_id": "job-1",
                "callback_url": "https://genq.test.invalid/callbacks/x",
            },
        )

    def test_shots_are_sent_with_their_seconds_as_text(self) -> None:
        call = submitted(
            model_name="kling-v3", multi_shot=True, shot_type="customize", multi_prompt=SHOTS
        )
        assert call.json == {
            "model_name": "kling-v3",
            "mode": "std",
            "aspect_ratio": "16:9",
            "duration": "5",
            "multi_shot": True,
            "shot_type": "customize",
            "multi_prompt": [
                {"index": 1, "prompt": "a door opens", "duration": "2"},
                {"index": 2, "prompt": "a cat walks in", "duration": "3"},
            ],
            "external_task_id": ORDER.job_id,
        }

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_dialects_that_pass_the_api_on_are_sent_the_same(self, dialect: str) -> None:
        request = Text2Video(prompt="a cat")
        assert text2video(dialect).build_submit(request, ORDER) == submitted(prompt="a cat")

    def test_a_request_survives_being_stored(self) -> None:
        first = Text2Video.model_validate(
            {"model_name": "kling-v3", "multi_shot": True, "shot_type": "customize"}
            | {"multi_prompt": SHOTS, "camera_control": {"type": "down_back"}}
        )
        stored = json.loads(json.dumps(first.model_dump(mode="json")))
        assert Text2Video.model_validate(stored) == first


class TestLooks:
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_a_task_is_looked_at_by_its_id_and_found_by_ours(self, dialect: str) -> None:
        operation = text2video(dialect)
        assert operation.build_query(Task("768310")) == Call("GET", f"{PATH}/768310")
        assert operation.build_find(ORDER) == Call("GET", f"{PATH}/{ORDER.job_id}")

    def test_an_id_cannot_leave_its_path(self) -> None:
        call = text2video().build_query(Task("../images?x=1#y z"))
        assert call.path == f"{PATH}/..%2Fimages%3Fx%3D1%23y%20z"

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_there_is_no_cancel(self, dialect: str) -> None:
        assert text2video(dialect).build_cancel(Task("1")) is None

    @pytest.mark.parametrize(("asked", "size"), [(2, 30), (20, 80), (100, 400)])
    def test_the_vendors_list_shows_many_tasks(self, asked: int, size: int) -> None:
        operation = text2video("kling.v1")
        assert asked <= operation.batch_limit
        call = operation.build_batch_query([str(number) for number in range(asked)])
        assert call == Call("GET", PATH, params={"pageNum": "1", "pageSize": str(size)})

    def test_each_endpoint_lists_its_own_tasks(self) -> None:
        groups = {each.batch_group for each in OPERATIONS if each.dialect == "kling.v1"}
        assert len(groups) == len([each for each in OPERATIONS if each.dialect == "kling.v1"])

    def test_relays_have_no_list(self) -> None:
        operation = text2video("kling.relay")
        assert operation.batch_limit == 0
        assert operation.build_batch_query(["1", "2"]) is None


class TestRequest:
    @pytest.mark.parametrize(
        "fields",
        [
            {"prompt": "a cat", "model_name": "kling-v9-ultra", "duration": 42, "mode": "8k"},
            {"prompt": "a cat", "model_name": "kling-v9-ultra", "aspect_ratio": "21:9"},
            {"prompt": "a cat", "model_name": "kling-v3", "duration": "15", "mode": "4k"},
            {"prompt": "a cat", "model_name": "kling-v2-master", "cfg_scale": 0.5},
            {"prompt": "a cat", "model_name": "kling-v1", "sound": "off"},
            {"prompt": "x" * 2500, "camera_control": {"type": "forward_up"}},
            {"prompt": "a cat", "multi_shot": True, "shot_type": "intelligence"},
            {"multi_shot": True, "shot_type": "customize", "multi_prompt": SHOTS},
        ],
    )
    def test_what_may_be_asked(self, fields: dict[str, Any]) -> None:
        assert complaints(**fields) == {}

    @pytest.mark.parametrize(
        ("fields", "at_fault"),
        [
            ({}, {"prompt"}),
            ({"prompt": "   "}, {"prompt"}),
            ({"prompt": "x" * 2501}, {"prompt"}),
            ({"prompt": "a", "negative_prompt": "x" * 2501}, {"negative_prompt"}),
            ({"prompt": "a", "model": "kling-v1"}, {"model"}),
            ({"prompt": "a", "external_task_id": "mine"}, {"external_task_id"}),
            ({"prompt": "a", "callback_url": "https://a.invalid"}, {"callback_url"}),
            ({"prompt": "a", "model_name": ""}, {"model_name"}),
            ({"prompt": "a", "cfg_scale": 1.1}, {"cfg_scale"}),
            ({"prompt": "a", "sound": "loud"}, {"sound"}),
            ({"prompt": "a", "sound": "on"}, {"sound"}),
            ({"prompt": "a", "mode": "4k"}, {"mode"}),
            ({"prompt": "a", "aspect_ratio": "4:3"}, {"aspect_ratio"}),
            ({"prompt": "a", "aspect_ratio": "wide"}, {"aspect_ratio"}),
            ({"prompt": "a", "duration": "7"}, {"duration"}),
            ({"prompt": "a", "duration": 5.0}, {"duration"}),
            ({"prompt": "a", "duration": True}, {"duration"}),
            ({"prompt": "a", "duration": "5s"}, {"duration"}),
            ({"prompt": "a", "model_name": "kling-v3", "duration": 16}, {"duration"}),
            ({"prompt": "a", "voice_list": [{"voice_id": "1"}] * 3}, {"voice_list"}),
            ({"prompt": "says <<<voice_1>>>"}, {"prompt"}),
            ({"prompt": "says <<<voice_2>>>", "voice_list": [{"voice_id": "1"}]}, {"prompt"}),
            (
                {"prompt": "a", "voice_list": [{"id": "1"}]},
                {"voice_list.0.id", "voice_list.0.voice_id"},
            ),
            ({"prompt": "a", "watermark_info": {"enabled": True, "x": 1}}, {"watermark_info.x"}),
            ({"prompt": "a", "camera_control": {"type": "spin"}}, {"camera_control.type"}),
            ({"prompt": "a", "camera_control": {"type": "simple"}}, {"camera_control.config"}),
            (
                {"prompt": "a", "camera_control": {"type": "simple", "config": {}}},
                {"camera_control.config"},
            ),
            (
                {"prompt": "a", "camera_control": {"type": "simple", "config": {"pan": 11}}},
                {"camera_control.config.pan"},
            ),
            (
                {
                    "prompt": "a",
                    "camera_control": {"type": "simple", "config": {"pan": 1, "tilt": 1}},
                },
                {"camera_control.config"},
            ),
            (
                {"prompt": "a", "camera_control": {"type": "down_back", "config": {"pan": 1}}},
                {"camera_control.config"},
            ),
            ({"prompt": "a", "multi_shot": True}, {"shot_type"}),
            ({"prompt": "a", "shot_type": "customize"}, {"shot_type"}),
            ({"prompt": "a", "multi_prompt": SHOTS}, {"multi_prompt"}),
            ({"multi_shot": True, "shot_type": "intelligence"}, {"prompt"}),
            ({"multi_shot": True, "shot_type": "customize"}, {"multi_prompt"}),
            (
                {"prompt": "a", "multi_shot": True, "shot_type": "intelligence"}
                | {"multi_prompt": SHOTS},
                {"multi_prompt"},
            ),
            (
                {"multi_shot": True, "shot_type": "customize", "duration": 10}
                | {"multi_prompt": SHOTS},
                {"multi_prompt"},
            ),
            (
                {"multi_shot": True, "shot_type": "customize"}
                | {"multi_prompt": [{**shot, "index": 1} for shot in SHOTS]},
                {"multi_prompt"},
            ),
            (
                {"multi_shot": True, "shot_type": "customize", "multi_prompt": []},
                {"multi_prompt"},
            ),
            (
                {"multi_shot": True, "shot_type": "customize"}
                | {"multi_prompt": [{"index": 0, "prompt": "a", "duration": 5}]},
                {"multi_prompt.0.index"},
            ),
            (
                {"multi_shot": True, "shot_type": "customize", "duration": 10}
                | {
                    "multi_prompt": [
                        {"index": i, "prompt": "a", "duration": 1} for i in range(1, 8)
                    ]
                },
                {"multi_prompt"},
            ),
            (
                {"multi_shot": True, "shot_type": "customize"}
                | {"multi_prompt": [{"index": 1, "prompt": "x" * 513, "duration": 5}]},
                {"multi_prompt.0.prompt"},
            ),
        ],
    )
    def test_what_may_not_be_asked_names_the_field(
        self, fields: dict[str, Any], at_fault: set[str]
    ) -> None:
        assert set(complaints(**fields)) == at_fault

    def test_all_that_is_wrong_is_said_at_once_and_says_what_to_change(self) -> None:
        assert complaints(duration=7, mode="4k", multi_shot=True) == {
            "duration": "kling-v1 makes videos of 5 or 10 seconds",
            "mode": "kling-v1 takes std or pro",
            "prompt": "a prompt is required, unless multi_shot is true and shot_type customize",
            "shot_type": "multi_shot needs a shot_type: customize or intelligence",
        }

    def test_the_sum_of_the_shots_is_in_the_message(self) -> None:
        found = complaints(
            multi_shot=True, shot_type="customize", multi_prompt=SHOTS, duration="10"
        )
        assert found == {"multi_prompt": "the shots last 5 seconds together, the video 10"}

    def test_the_schema_takes_seconds_as_text_or_number(self) -> None:
        properties = Text2Video.model_json_schema()["properties"]
        types = cast(list[dict[str, str]], properties["duration"]["anyOf"])
        assert {each["type"] for each in types} == {"string", "integer"}


class TestPace:
    def test_a_video_is_waited_for_as_long_as_videos_take(self) -> None:
        pace = text2video().pace
        assert pace.durations.typical == timedelta(seconds=319)
        assert pace.durations.early < pace.durations.typical < pace.durations.late < pace.deadline
        assert (pace.floor, pace.deadline) == (timedelta(seconds=5), timedelta(minutes=60))


class TestBatch:
    """Lists of tasks are read alike, whoever sends them."""

    def read(self, body: Any, status: int = 200) -> Any:
        return read_batch(Reply(status, json.dumps(body).encode()), AssetType.VIDEO)

    def test_tasks_of_both_generations_are_read_by_id(self) -> None:
        video = {"type": "video", "id": "v1", "url": "https://cdn.test.invalid/1.mp4"}
        assert self.read(
            {
                "code": 0,
                "data": [
                    {"id": "1", "status": "succeeded", "outputs": [video]},
                    {"task_id": "2", "id": 77, "task_status": "processing"},
                    {"id": "3", "status": "failed", "message": "Content policy violation"},
                ],
            }
        ) == {
            "1": Succeeded((Asset(type=AssetType.VIDEO, url=video["url"], upstream_id="v1"),)),
            "2": Running(),
            "3": Failed("Content policy violation", ErrorCode.MODERATED),
        }

    def test_what_cannot_be_read_is_missing_and_looked_at_singly(self) -> None:
        entries = [{"id": "1"}, {"status": "failed"}, "x", None, {"id": "2", "status": "queued"}]
        assert self.read({"code": 0, "data": entries}) == {"2": Running(queued=True)}

    def test_an_empty_list_says_nothing_about_any_task(self) -> None:
        assert self.read({"code": 0, "data": []}) == {}

    @pytest.mark.parametrize(
        ("body", "status", "fault"),
        [
            ({"code": 0, "data": {"id": "1", "status": "queued"}}, 200, UnrecognizedReply),
            ({"code": 1302, "message": "too fast"}, 429, Throttled),
        ],
    )
    def test_no_list_is_a_fault(self, body: Any, status: int, fault: type[Fault]) -> None:
        with pytest.raises(fault):
            self.read(body, status)


def test_what_is_packed_in_a_message_can_be_stored() -> None:
    packed = json.dumps({"code": 1201, "message": "no \0 and no \ud800 please"})
    reply = Reply(400, json.dumps({"code": "fail_to_fetch_task", "message": packed}).encode())
    with pytest.raises(Fault) as raised:
        text2video().parse_submit(reply)
    assert raised.value.message == "no  and no ? please"
    assert raised.value.upstream_code == "1201"


def test_a_message_is_cut_where_nobody_reads_on() -> None:
    reply = Reply(400, json.dumps({"code": 1201, "message": "x" * 10_000}).encode())
    with pytest.raises(Fault) as raised:
        text2video().parse_submit(reply)
    assert len(raised.value.message) == 500
