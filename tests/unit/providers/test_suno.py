"""
Suno: what orders may hold, what is sent for them, compared whole, and rules of reading that are
better shown as tables.

What whole answers mean is in `tests/payloads/suno`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from generation import providers
from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Operation, Order, Parent, Task
from generation.contract.reply import Reply
from generation.contract.request import Request
from generation.contract.status import Accepted, Asset, AssetType, Running, Succeeded
from generation.providers.suno import OPERATIONS
from generation.providers.suno.commands import COMMANDS, Command
from generation.providers.suno.reasons import failure

JOB_ID = "01JZ8Q4W7Y6T5R4E3W2Q1A0S9D"
ORDER = Order(JOB_ID)
CALLBACK = "https://genq.test.invalid/callbacks/token"
SONG, OTHER, TASK = "clip-1", "clip-2", "task-1"
MANUAL = Path(__file__).parents[3] / "docs" / "providers" / "suno.md"
FILE = "https://cdn.test.invalid/clip-1.mp3"


def operation(name: str, dialect: str = "suno.newapi") -> Operation[Request]:
    found = providers.find("suno", name, dialect)
    assert found is not None
    return found


def sent(name: str, dialect: str = "suno.newapi", order: Order = ORDER, /, **fields: Any) -> Call:
    """The submit of these fields, the way a stored order is sent."""
    spoken = operation(name, dialect)
    request = spoken.request.model_validate(fields)
    stored = json.loads(json.dumps(request.model_dump(mode="json", exclude_unset=True)))
    return spoken.build_submit(spoken.request.model_validate(stored), order)


def complaints(name: str, /, **fields: Any) -> dict[str, str]:
    """Message by path of the field at fault; empty where the request is fine."""
    try:
        operation(name).request.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


def after(name: str = "music", **changes: Any) -> Order:
    """An order that follows a finished job with two songs."""
    result = Succeeded(
        assets=(
            Asset(type=AssetType.AUDIO, url=FILE, upstream_id=SONG),
            Asset(type=AssetType.IMAGE, url="https://cdn.test.invalid/1.png", upstream_id=SONG),
            Asset(
                type=AssetType.AUDIO, url="https://cdn.test.invalid/clip-2.mp3", upstream_id=OTHER
            ),
        ),
        details={"clips": [{"id": SONG}, {"id": OTHER}]},
    )
    parent = Parent(name, TASK, details={}, input={}, result=result)
    return Order(JOB_ID, parent=replace(parent, **changes))


def refusal(name: str, dialect: str, order: Order = ORDER, /, **fields: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        sent(name, dialect, order, **fields)
    return caught.value


class TestRequests:
    @pytest.mark.parametrize(
        ("name", "fields", "places"),
        [
            pytest.param("music", {}, ["gpt_description_prompt"], id="nothing to sing"),
            pytest.param("music", {"prompt": " "}, ["gpt_description_prompt"], id="blanks"),
            pytest.param(
                "music",
                {"gpt_description_prompt": "a cat", "prompt": "la", "title": "Cat"},
                ["prompt", "title"],
                id="both modes",
            ),
            pytest.param(
                "music",
                {"gpt_description_prompt": "x" * 201},
                ["gpt_description_prompt"],
                id="long description",
            ),
            pytest.param("music", {"prompt": "x" * 3001}, ["prompt"], id="long words"),
            pytest.param(
                "music", {"mv": "chirp-v4-tau", "tags": "x" * 201}, ["tags"], id="long style"
            ),
            pytest.param(
                "music",
                {"mv": "chirp-crow", "prompt": "x" * 5001, "tags": "x" * 1001},
                ["prompt", "tags"],
                id="long for newer models",
            ),
            pytest.param("music", {"prompt": "la", "mv": ""}, ["mv"], id="no model"),
            pytest.param("music", {"prompt": "la", "model": "v4"}, ["model"], id="unknown field"),
            pytest.param("music", {"prompt": "la", "notify_hook": "x"}, ["notify_hook"], id="hook"),
            pytest.param(
                "music",
                {"prompt": "la", "metadata": {"vocal_gender": "x"}},
                ["metadata.vocal_gender"],
                id="gender",
            ),
            pytest.param(
                "music",
                {"prompt": "la", "metadata": {"control_sliders": {"style_weight": 1.5}}},
                ["metadata.control_sliders.style_weight"],
                id="weight",
            ),
            pytest.param("lyrics", {"prompt": ""}, ["prompt"], id="no words"),
            pytest.param("lyrics", {}, ["prompt"], id="words about nothing"),
            pytest.param("extend", {"continue_at": -1}, ["continue_at"], id="before the start"),
            pytest.param("extend", {"task_id": TASK}, ["continue_clip_id"], id="half a pair"),
            pytest.param("extend", {"clip": 0}, ["clip"], id="song number 0"),
            pytest.param("extend", {"continue_clip_id": "a b"}, ["continue_clip_id"], id="no id"),
            pytest.param(
                "infill",
                {"infill_start_s": 9, "infill_end_s": 9},
                ["infill_end_s"],
                id="empty section",
            ),
            pytest.param("infill", {}, ["infill_start_s", "infill_end_s"], id="no section"),
            pytest.param(
                "persona_music", {"persona_id": "p"}, ["artist_clip_id"], id="persona without song"
            ),
            pytest.param("persona", {"name": " "}, ["name"], id="no name"),
            pytest.param("persona", {"name": "x", "clips": []}, ["clips"], id="no songs"),
            pytest.param("upload", {"url": "file:///etc/passwd"}, ["url"], id="no web address"),
            pytest.param("tags", {"original_tags": ""}, ["original_tags"], id="no style"),
            pytest.param("wav", {"clip_id": "a/b"}, ["clip_id"], id="a path"),
        ],
    )
    def test_what_cannot_work_is_refused_by_its_field(
        self, name: str, fields: Mapping[str, Any], places: list[str]
    ) -> None:
        assert list(complaints(name, **fields)) == places

    @pytest.mark.parametrize(
        "fields",
        [
            {"gpt_description_prompt": "a cat", "prompt": "", "tags": ""},
            {"prompt": "x" * 3000, "tags": "x" * 200},
            {"prompt": "x" * 5000, "tags": "x" * 1000, "mv": "chirp-bluejay"},
            {"prompt": "x" * 9000, "mv": "chirp-of-tomorrow"},
            {"tags": "salsa", "make_instrumental": True},
        ],
    )
    def test_what_may_work_passes(self, fields: Mapping[str, Any]) -> None:
        assert complaints("music", **fields) == {}

    @pytest.mark.parametrize("spoken", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
    def test_each_example_can_be_sent(self, spoken: Operation[Any]) -> None:
        call = spoken.build_submit(spoken.request.model_validate(spoken.example), ORDER)
        assert call.path.startswith("/")
        assert (call.json is None) == (call.method == "GET")


class TestSubmits:
    def test_a_description_is_sent_with_the_model_it_is_charged_for(self) -> None:
        assert sent("music", gpt_description_prompt="a cat") == Call(
            "POST",
            "/submit/music",
            {"gpt_description_prompt": "a cat", "mv": "chirp-v4", "make_instrumental": False},
        )

    def test_everything_is_sent_as_it_was_asked(self) -> None:
        fields = {
            "prompt": "[Verse]\nla",
            "tags": "salsa",
            "title": "La",
            "mv": "chirp-crow",
            "make_instrumental": False,
            "negative_tags": "metal",
            "generation_type": "TEXT",
            "metadata": {
                "create_mode": "custom",
                "vocal_gender": "f",
                "control_sliders": {"style_weight": 0.5, "weirdness_constraint": 0.25},
            },
        }
        call = sent("music", "suno.newapi", Order(JOB_ID, CALLBACK), **fields)
        assert call == Call("POST", "/submit/music", fields | {"notify_hook": CALLBACK})

    @pytest.mark.parametrize(
        ("dialect", "path"),
        [
            ("suno.newapi", "/submit/lyrics"),
            ("suno.raw", "/submit/lyrics"),
            ("suno.feed", "/generate/lyrics/"),
            ("suno.taskid", "/lyrics"),
        ],
    )
    def test_lyrics_are_alike_everywhere(self, dialect: str, path: str) -> None:
        assert sent("lyrics", dialect, prompt="dance") == Call("POST", path, {"prompt": "dance"})

    @pytest.mark.parametrize(
        ("name", "fields", "order", "path", "body"),
        [
            pytest.param(
                "extend",
                {"continue_at": 90.5, "prompt": "la", "clip": 2},
                after(),
                "/submit/music",
                {
                    "task": "extend",
                    "task_id": TASK,
                    "continue_clip_id": OTHER,
                    "continue_at": 90.5,
                    "prompt": "la",
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="extend the second song",
            ),
            pytest.param(
                "extend",
                {"continue_clip_id": "c", "task_id": "t"},
                ORDER,
                "/submit/music",
                {
                    "task": "extend",
                    "task_id": "t",
                    "continue_clip_id": "c",
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="extend by ids",
            ),
            pytest.param(
                "extend",
                {"continue_clip_id": "c"},
                ORDER,
                "/submit/music",
                {
                    "task": "upload_extend",
                    "continue_clip_id": "c",
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="extend an upload by its id",
            ),
            pytest.param(
                "extend",
                {"continue_at": 5},
                after("upload"),
                "/submit/music",
                {
                    "task": "upload_extend",
                    "continue_clip_id": SONG,
                    "continue_at": 5,
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="extend an upload",
            ),
            pytest.param(
                "extend",
                {"continue_clip_id": "named"},
                after(),
                "/submit/music",
                {
                    "task": "upload_extend",
                    "continue_clip_id": "named",
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="an id that is named goes before the job that is followed",
            ),
            pytest.param(
                "extend",
                {"continue_clip_id": OTHER},
                after(),
                "/submit/music",
                {
                    "task": "extend",
                    "task_id": TASK,
                    "continue_clip_id": OTHER,
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="an id of the job that is followed has its task",
            ),
            pytest.param(
                "cover",
                {"tags": "brass"},
                after(),
                "/submit/music",
                {
                    "task": "cover",
                    "task_id": TASK,
                    "cover_clip_id": SONG,
                    "tags": "brass",
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="cover",
            ),
            pytest.param(
                "cover",
                {"cover_clip_id": "c", "mv": "chirp-v3-5-tau"},
                ORDER,
                "/submit/music",
                {
                    "task": "cover",
                    "cover_clip_id": "c",
                    "mv": "chirp-v3-5-tau",
                    "make_instrumental": False,
                },
                id="cover by id",
            ),
            pytest.param(
                "infill",
                {"infill_start_s": 10, "infill_end_s": 20.5},
                after(),
                "/submit/music",
                {
                    "task": "infill",
                    "task_id": TASK,
                    "continue_clip_id": SONG,
                    "infill_start_s": 10,
                    "infill_end_s": 20.5,
                    "mv": "chirp-v4",
                    "make_instrumental": False,
                },
                id="infill",
            ),
            pytest.param(
                "stems",
                {},
                after(),
                "/submit/music",
                {
                    "task": "gen_stem",
                    "task_id": TASK,
                    "continue_clip_id": SONG,
                    "mv": "chirp-auk",
                    "stem_task": "two",
                    "stem_type_id": 91,
                    "stem_type_group_name": "Two",
                },
                id="stems",
            ),
            pytest.param(
                "persona_music",
                {"prompt": "la"},
                after(
                    "persona",
                    result=Succeeded(
                        texts=("p",), details={"persona_id": "p", "root_clip_id": SONG}
                    ),
                ),
                "/submit/music",
                {
                    "task": "artist_consistency",
                    "persona_id": "p",
                    "artist_clip_id": SONG,
                    "prompt": "la",
                    "mv": "chirp-v4-tau",
                    "make_instrumental": False,
                },
                id="a persona sings",
            ),
            pytest.param(
                "persona_music",
                {"prompt": "la"},
                after(
                    "persona",
                    upstream_id="p",
                    input={"root_clip_id": "root"},
                    result=Succeeded(texts=("p",)),
                ),
                "/submit/music",
                {
                    "task": "artist_consistency",
                    "persona_id": "p",
                    "artist_clip_id": "root",
                    "prompt": "la",
                    "mv": "chirp-v4-tau",
                    "make_instrumental": False,
                },
                id="a persona of a station that says little",
            ),
            pytest.param(
                "concat",
                {},
                after("extend"),
                "/submit/concat",
                {"clip_id": SONG, "is_infill": False},
                id="concat after extend",
            ),
            pytest.param(
                "concat",
                {"clip": 2},
                after("infill"),
                "/submit/concat",
                {"clip_id": OTHER, "is_infill": True},
                id="concat after infill",
            ),
            pytest.param(
                "concat",
                {"clip_id": "c", "is_infill": True},
                ORDER,
                "/submit/concat",
                {"clip_id": "c", "is_infill": True},
                id="concat by id",
            ),
            pytest.param(
                "upload", {"url": FILE}, ORDER, "/uploads/audio-url", {"url": FILE}, id="upload"
            ),
            pytest.param(
                "persona",
                {"name": "The keeper"},
                after(),
                "/persona/create/",
                {
                    "root_clip_id": SONG,
                    "name": "The keeper",
                    "description": "",
                    "clips": [SONG],
                    "is_public": False,
                },
                id="persona",
            ),
            pytest.param(
                "tags",
                {"original_tags": "salsa"},
                ORDER,
                "/act/tags",
                {"original_tags": "salsa"},
                id="tags",
            ),
        ],
    )
    def test_a_relay_is_sent(
        self, name: str, fields: dict[str, Any], order: Order, path: str, body: dict[str, Any]
    ) -> None:
        assert sent(name, "suno.newapi", order, **fields) == Call("POST", path, body)

    @pytest.mark.parametrize("name", ["wav", "mp4", "timing", "midi"])
    def test_what_is_made_of_a_song_is_asked_for(self, name: str) -> None:
        assert sent(name, "suno.newapi", after(), clip=2) == Call("GET", f"/act/{name}/{OTHER}")
        assert sent(name, "suno.feed", clip_id="c") == Call("GET", f"/act/{name}/c")

    def test_a_station_with_one_path_concatenates_there(self) -> None:
        assert sent("concat", "suno.onepath", clip_id="c").path == "/submit/music"
        assert sent("music", "suno.onepath", prompt="la") == sent("music", prompt="la")

    def test_a_suno_api_is_sent_only_what_it_reads(self) -> None:
        call = sent("extend", "suno.raw", after(), prompt="la", continue_at=3)
        assert call == Call(
            "POST",
            "/submit/music",
            {
                "task_id": TASK,
                "continue_clip_id": SONG,
                "continue_at": 3,
                "prompt": "la",
                "mv": "chirp-v4",
                "make_instrumental": False,
            },
        )
        assert sent("music", "suno.raw", Order(JOB_ID, CALLBACK), prompt="la").json == {
            "prompt": "la",
            "mv": "chirp-v4",
            "make_instrumental": False,
        }

    def test_a_feed_knows_no_tasks(self) -> None:
        order = after(upstream_id=f"{SONG},{OTHER}", details={"look": "clips"})
        assert sent("extend", "suno.feed", order, continue_at=3) == Call(
            "POST",
            "/generate",
            {
                "task": "extend",
                "continue_clip_id": SONG,
                "continue_at": 3,
                "mv": "chirp-v4",
                "make_instrumental": False,
            },
        )
        by_ids = sent("extend", "suno.feed", continue_clip_id="c", task_id="t").json or {}
        assert (by_ids["task"], "task_id" in by_ids) == ("extend", False)
        uploaded = sent("extend", "suno.feed", after("upload")).json or {}
        assert uploaded["task"] == "upload_extend"
        assert sent("concat", "suno.feed", clip_id="c").path == "/generate/concat"

    def test_songs_that_came_without_a_task_have_none_to_name(self) -> None:
        order = after(upstream_id=f"{SONG},{OTHER}", details={"look": "clips"})
        body = sent("extend", "suno.newapi", order).json or {}
        assert (body["task"], "task_id" in body) == ("extend", False)

    def test_a_parent_without_files_still_has_its_songs_ids(self) -> None:
        result = Succeeded(texts=("u",), details={"clips": [{"id": "u"}]})
        body = sent("cover", "suno.newapi", after("upload", result=result)).json or {}
        assert body["cover_clip_id"] == "u"


class TestOfficialStyle:
    def test_a_description(self) -> None:
        call = sent(
            "music",
            "suno.taskid",
            Order(JOB_ID, CALLBACK),
            gpt_description_prompt="a cat",
            make_instrumental=True,
        )
        assert call == Call(
            "POST",
            "/generate",
            {
                "customMode": False,
                "instrumental": True,
                "model": "V4",
                "prompt": "a cat",
                "callBackUrl": CALLBACK,
            },
        )

    def test_own_words(self) -> None:
        call = sent(
            "music",
            "suno.taskid",
            prompt="la",
            tags="salsa",
            title="La",
            mv="chirp-bluejay",
            negative_tags="metal",
            metadata={
                "vocal_gender": "m",
                "control_sliders": {
                    "style_weight": 0.5,
                    "weirdness_constraint": 0.25,
                    "audio_weight": 1,
                },
            },
        )
        assert call == Call(
            "POST",
            "/generate",
            {
                "customMode": True,
                "instrumental": False,
                "model": "V4_5PLUS",
                "prompt": "la",
                "style": "salsa",
                "title": "La",
                "negativeTags": "metal",
                "vocalGender": "m",
                "styleWeight": 0.5,
                "weirdnessConstraint": 0.25,
                "audioWeight": 1,
            },
        )

    def test_an_extension_with_its_own_words_or_with_none(self) -> None:
        texts = {"prompt": "la", "tags": "salsa", "title": "La", "continue_at": 60}
        assert sent("extend", "suno.taskid", after(), **texts, mv="V6") == Call(
            "POST",
            "/generate/extend",
            {
                "audioId": SONG,
                "defaultParamFlag": True,
                "model": "V6",
                "prompt": "la",
                "style": "salsa",
                "title": "La",
                "continueAt": 60,
            },
        )
        assert sent("extend", "suno.taskid", after()).json == {
            "audioId": SONG,
            "defaultParamFlag": False,
            "model": "V4",
        }

    def test_a_section(self) -> None:
        fields = {"prompt": "la", "tags": "salsa", "title": "La", "negative_tags": "metal"}
        call = sent(
            "infill", "suno.taskid", after(), **fields, infill_start_s=10, infill_end_s=20.5
        )
        assert call == Call(
            "POST",
            "/generate/replace-section",
            {
                "taskId": TASK,
                "audioId": SONG,
                "prompt": "la",
                "tags": "salsa",
                "title": "La",
                "infillStartS": 10,
                "infillEndS": 20.5,
                "negativeTags": "metal",
            },
        )

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("wav", "/wav/generate"),
            ("mp4", "/mp4/generate"),
            ("timing", "/generate/get-timestamped-lyrics"),
        ],
    )
    def test_what_is_made_of_a_song(self, name: str, path: str) -> None:
        call = sent(name, "suno.taskid", after(), clip=2)
        assert call == Call("POST", path, {"taskId": TASK, "audioId": OTHER})


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "dialect", "order", "fields", "field"),
        [
            pytest.param("extend", "suno.newapi", ORDER, {}, "continue_clip_id", id="extend"),
            pytest.param("cover", "suno.newapi", ORDER, {}, "cover_clip_id", id="cover"),
            pytest.param("stems", "suno.newapi", ORDER, {}, "continue_clip_id", id="stems"),
            pytest.param("concat", "suno.newapi", ORDER, {}, "clip_id", id="concat"),
            pytest.param("wav", "suno.newapi", ORDER, {}, "clip_id", id="wav"),
            pytest.param("persona", "suno.newapi", ORDER, {"name": "x"}, "root_clip_id", id="root"),
            pytest.param("persona_music", "suno.newapi", ORDER, {}, "persona_id", id="persona"),
            pytest.param(
                "persona_music",
                "suno.newapi",
                after("persona", result=Succeeded(texts=("p",))),
                {},
                "artist_clip_id",
                id="a persona whose song nobody names",
            ),
            pytest.param("extend", "suno.newapi", after(), {"clip": 3}, "clip", id="third of two"),
            pytest.param(
                "extend", "suno.raw", ORDER, {"continue_clip_id": "c"}, "task_id", id="no task"
            ),
            pytest.param("music", "suno.taskid", ORDER, {"prompt": "la"}, "tags", id="no style"),
            pytest.param(
                "music",
                "suno.taskid",
                ORDER,
                {"tags": "x", "title": "x"},
                "prompt",
                id="nothing to sing",
            ),
            pytest.param(
                "extend", "suno.taskid", after(), {"prompt": "la"}, "tags", id="half an extension"
            ),
            pytest.param(
                "wav", "suno.taskid", ORDER, {"clip_id": "c"}, "task_id", id="song without task"
            ),
        ],
    )
    def test_an_order_that_lacks_something_is_never_sent(
        self, name: str, dialect: str, order: Order, fields: dict[str, Any], field: str
    ) -> None:
        fault = refusal(name, dialect, order, **fields)
        assert fault.message.startswith(f"{field}: ")
        assert fault.code is ErrorCode.INVALID_REQUEST

    @pytest.mark.parametrize("field", ["negative_tags", "generation_type"])
    def test_a_suno_api_is_not_asked_for_what_it_drops(self, field: str) -> None:
        fault = refusal("music", "suno.raw", ORDER, prompt="la", **{field: "x"})
        assert (fault.code, fault.message.split(":")[0]) == (ErrorCode.UNSUPPORTED, field)


class TestLooks:
    @pytest.mark.parametrize(
        ("name", "dialect", "task", "call"),
        [
            ("music", "suno.newapi", Task("a/b"), Call("GET", "/fetch/a%2Fb")),
            ("lyrics", "suno.newapi", Task("t"), Call("GET", "/fetch/t")),
            ("music", "suno.newapi", Task("a,b", {"look": "clips"}), Call("GET", "/feed/a,b")),
            ("music", "suno.raw", Task("t"), Call("POST", "/fetch", {"ids": ["t"]})),
            ("music", "suno.feed", Task("a,b"), Call("GET", "/feed/a,b")),
            ("lyrics", "suno.feed", Task("t"), Call("GET", "/lyrics/t")),
            (
                "music",
                "suno.taskid",
                Task("t"),
                Call("GET", "/generate/record-info", params={"taskId": "t"}),
            ),
            (
                "lyrics",
                "suno.taskid",
                Task("t"),
                Call("GET", "/lyrics/record-info", params={"taskId": "t"}),
            ),
            (
                "wav",
                "suno.taskid",
                Task("t"),
                Call("GET", "/wav/record-info", params={"taskId": "t"}),
            ),
        ],
    )
    def test_where_a_task_is_looked_at(
        self, name: str, dialect: str, task: Task, call: Call
    ) -> None:
        assert operation(name, dialect).build_query(task) == call

    @pytest.mark.parametrize("dialect", ["suno.newapi", "suno.onepath", "suno.raw"])
    def test_many_tasks_are_looked_at_together(self, dialect: str) -> None:
        spoken = operation("music", dialect)
        assert spoken.batch_limit == 100
        assert spoken.build_batch_query(["a", "b"]) == Call("POST", "/fetch", {"ids": ["a", "b"]})
        assert spoken.batch_group != operation("lyrics", dialect).batch_group

    @pytest.mark.parametrize("dialect", ["suno.feed", "suno.taskid"])
    def test_others_look_at_one_at_a_time(self, dialect: str) -> None:
        spoken = operation("music", dialect)
        assert (spoken.batch_limit, spoken.build_batch_query(["a"])) == (0, None)

    def test_follow_ups_follow_only_what_the_dialect_has(self) -> None:
        assert operation("extend").follows >= {"music", "upload", "extend"}
        assert operation("extend", "suno.raw").follows == {"music", "extend"}
        assert operation("concat").follows == {"extend", "infill"}
        assert operation("music").follows == frozenset()

    def test_lyrics_may_be_answered_late(self) -> None:
        assert operation("lyrics").submit_timeout == timedelta(seconds=150)
        assert operation("music").submit_timeout is None

    def test_each_order_has_a_name_of_its_own(self) -> None:
        names = [command.name for command in COMMANDS]
        assert len(names) == len(set(names))


class TestReading:
    @pytest.mark.parametrize(
        ("reason", "code", "retryable"),
        [
            ("time out", ErrorCode.UPSTREAM_FAILED, True),
            ("任务超时（15分钟）", ErrorCode.UPSTREAM_FAILED, True),
            ("Song contained artist name: X", ErrorCode.MODERATED, False),
            ("these lyrics are not allowed", ErrorCode.MODERATED, False),
            ("uploaded audio matches copyright", ErrorCode.MODERATED, False),
            ("402 Payment Required", ErrorCode.OUT_OF_CREDITS, True),
            ("Too many running jobs.", ErrorCode.RATE_LIMITED, True),
            ("当前分组上游负载已饱和", ErrorCode.RATE_LIMITED, True),
            ("requires_captcha", ErrorCode.UNAVAILABLE, True),
            ("Unauthorized", ErrorCode.UNAVAILABLE, True),
            ("获取渠道信息失败，请联系管理员，渠道ID：3", ErrorCode.UNAVAILABLE, True),
            ("whatever", ErrorCode.UPSTREAM_FAILED, True),
            ("song number 4290 broke", ErrorCode.UPSTREAM_FAILED, True),
        ],
    )
    def test_why_a_task_failed(self, reason: str, code: ErrorCode, *, retryable: bool) -> None:
        failed = failure(reason)
        assert (failed.message, failed.code, failed.retryable) == (reason, code, retryable)

    def test_ids_of_many_songs_stay_within_what_a_store_keeps(self) -> None:
        songs = [{"id": f"{number:036d}", "status": "submitted"} for number in range(12)]
        answer = operation("music", "suno.feed").parse_submit(
            Reply(200, json.dumps({"id": "g", "clips": songs}).encode())
        )
        assert isinstance(answer, Accepted)
        assert len(answer.upstream_id) <= 300
        assert answer.upstream_id.split(",") == [song["id"] for song in songs[:8]]

    @pytest.mark.parametrize(("seconds_ago", "still_running"), [(5, True), (61, False), (0, True)])
    def test_a_live_stream_is_waited_for_a_minute(
        self, seconds_ago: int, *, still_running: bool
    ) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        song = {
            "id": "a",
            "status": "complete",
            "audio_url": "https://audiopipe.suno.ai/?item_id=a",
        }
        task = {
            "task_id": "t",
            "status": "SUCCESS",
            "finish_time": int(now.timestamp()) - seconds_ago,
            "data": [song],
        }
        status = operation("music").parse_query(
            Reply(
                200,
                json.dumps({"code": "success", "data": task}).encode(),
                {"date": "Thu, 01 Jan 2026 00:00:00 GMT"},
            )
        )
        assert isinstance(status, Running) == still_running
        if isinstance(status, Running):
            assert status.so_far is not None
            status = status.so_far
        assert isinstance(status, Succeeded)
        assert [asset.role for asset in status.assets] == ["stream"]

    @pytest.mark.parametrize("finish_time", [0, 1_767_225_600])
    def test_where_nobody_says_what_time_it_is_the_stream_is_what_there_is_so_far(
        self, finish_time: int
    ) -> None:
        song = {
            "id": "a",
            "status": "complete",
            "audio_url": "https://audiopipe.suno.ai/?item_id=a",
        }
        task = {"task_id": "t", "status": "SUCCESS", "finish_time": finish_time, "data": [song]}
        body = json.dumps({"code": "success", "data": task}).encode()
        status = operation("music").parse_query(Reply(200, body))
        assert isinstance(status, Running)
        assert status.so_far is not None
        assert [asset.role for asset in status.so_far.assets] == ["stream"]

    @pytest.mark.parametrize(("minutes_ago", "still_running"), [(3, True), (11, False)])
    def test_without_an_end_the_beginning_counts(
        self, minutes_ago: int, *, still_running: bool
    ) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        song = {
            "id": "a",
            "status": "complete",
            "audio_url": "https://audiopipe.suno.ai/?item_id=a",
            "created_at": (now - timedelta(minutes=minutes_ago)).isoformat(),
        }
        status = operation("music", "suno.feed").parse_query(
            Reply(200, json.dumps([song]).encode(), {"date": "Thu, 01 Jan 2026 00:00:00 GMT"})
        )
        assert isinstance(status, Running) == still_running


class TestManual:
    """The manual's page says what the models say, and so can be believed."""

    @staticmethod
    def section(name: str) -> str:
        page = MANUAL.read_text(encoding="utf-8")
        return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
    def test_each_field_has_its_row_with_its_default(self, command: Command) -> None:
        rows = re.findall(
            r"^\| `(\w+)` \| \w+ \| (.*?) ?\|", self.section(command.name), re.MULTILINE
        )
        fields = command.request.model_fields
        assert [name for name, _ in rows] == list(fields)
        for name, default in rows:
            field = fields[name]
            known = "required" if field.is_required() else json.dumps(field.default)
            assert default.strip("`") in (known, known.strip('"'), "" if known == "null" else known)

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
    def test_each_example_is_the_one_that_is_tried(self, command: Command) -> None:
        [example] = re.findall(r"```json\n(.*?)```", self.section(command.name), re.DOTALL)
        assert json.loads(example) == {
            "provider": "suno",
            "operation": command.name,
            "input": command.example,
        }

    def test_the_table_says_which_dialect_has_what(self) -> None:
        page = MANUAL.read_text(encoding="utf-8")
        for command in COMMANDS:
            [row] = re.findall(rf"^\| \[`{command.name}`\].*$", page, re.MULTILINE)
            told = [cell.strip() == "yes" for cell in row.split("|")[2:6]]
            dialects = ("suno.newapi", "suno.raw", "suno.feed", "suno.taskid")
            assert told == [command.name in orders_in(dialect) for dialect in dialects]


def orders_in(dialect: str) -> set[str]:
    return {spoken.name for spoken in OPERATIONS if spoken.dialect == dialect}
