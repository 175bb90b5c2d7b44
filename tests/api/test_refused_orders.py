"""Orders that are refused: where the fault is, in words, and that nothing came of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.http.problem_types import KINDS
from api.http.problems import MEDIA_TYPE
from api.http.schemas import Problem as ProblemDocument
from tests.api.serving import ORDER, Caller, serving, settings_of

VIDEO: dict[str, Any] = {"prompt": "a paper boat"}
LONG = "x" * 501

#: The change to a good order; then the place, the code and a word of what is said there.
FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"provider": "klng"},
        "#/provider",
        "unknown_provider",
        "; did you mean kling? There are flux,",
    ),
    ({"provider": "zebra"}, "#/provider", "unknown_provider", "no such provider; there are"),
    ({"provider": 7}, "#/provider", "type", "must be a string, not a number"),
    (
        {"operation": "text2vdeo"},
        "#/operation",
        "unknown_operation",
        "; did you mean text2video? It has",
    ),
    ({"operation": None}, "#/operation", "required", "is required"),
    ({"input": None}, "#/input", "required", "is required"),
    ({"input": [1]}, "#/input", "type", "must be a JSON object, not an array"),
    ({"input": {"prompt": 5}}, "#/input/prompt", "type", "must be a string, not a number"),
    ({"input": VIDEO | {"promt": ""}}, "#/input/promt", "unknown_field", "did you mean prompt?"),
    ({"input": VIDEO | {"a/b~c d": 1}}, "#/input/a~1b~0c%20d", "unknown_field", "Known here"),
    ({"input": VIDEO | {"cfg_scale": 2}}, "#/input/cfg_scale", "range", "must be at most 1"),
    ({"input": VIDEO | {"sound": "loud"}}, "#/input/sound", "enum", "one of 'on' or 'off'"),
    ({"input": VIDEO | {"watermark_info": {}}}, "#/input/watermark_info/enabled", "required", "is"),
    (
        {"input": VIDEO | {"camera_control": {"type": "simple", "confg": {}}}},
        "#/input/camera_control/confg",
        "unknown_field",
        "did you mean config? Known here: type, config",
    ),
    (
        {"input": VIDEO | {"voice_list": [{"voice_id": "a"}, {"voice_id": ""}]}},
        "#/input/voice_list/1/voice_id",
        "length",
        "must not be empty",
    ),
    ({"input": {"prompt": "a\0b"}}, "#/input/prompt", "invalid", "U+0000"),
    ({"input": {"a\0b": 1}}, "#/input", "invalid", "U+0000"),
    ({"input": VIDEO | {"seed": 2**63}}, "#/input/seed", "range", "and 9223372036854775807"),
    (
        {"input": VIDEO | {"a": [-(2**63) - 1]}},
        "#/input/a/0",
        "range",
        "between -9223372036854",
    ),
    ({"colour": "red"}, "#/colour", "unknown_field", "Known here: provider, operation, input"),
    ({"metadata": []}, "#/metadata", "type", "must be a JSON object, not an array"),
    ({"metadata": {"a": 1}}, "#/metadata/a", "type", "must be a string, not a number"),
    ({"metadata": {"a": LONG}}, "#/metadata/a", "length", "at most 500 characters"),
    ({"metadata": {"k" * 41: ""}}, f"#/metadata/{'k' * 41}", "length", "at most 40 characters"),
    ({"metadata": {"": ""}}, "#/metadata/", "length", "must not be empty"),
    ({"metadata": {"a": "\0"}}, "#/metadata/a", "invalid", "U+0000"),
    (
        {"input": {"prompt": "x", "duration": "500"}},
        "#/input/duration",
        "pattern",
        "must be whole seconds from 1 to 99, as in 5",
    ),
    ({"metadata": {f"{n}": "" for n in range(51)}}, "#/metadata", "length", "at most 50 entries"),
    ({"webhook": "https://example.com"}, "#/webhook", "type", "must be a JSON object"),
    ({"webhook": {}}, "#/webhook/url", "required", "is required"),
    ({"webhook": {"url": "nonsense"}}, "#/webhook/url", "webhook_url", "https://"),
    ({"webhook": {"url": "http://example.com"}}, "#/webhook/url", "webhook_url", "use https"),
    ({"webhook": {"url": "https://10.0.0.1/"}}, "#/webhook/url", "webhook_url", "private"),
    ({"webhook": {"url": "https://localhost/"}}, "#/webhook/url", "webhook_url", "this host"),
    ({"webhook": {"url": "https://a.example:81"}}, "#/webhook/url", "webhook_url", "port 81"),
    ({"webhook": {"url": "https://a.example/" + LONG * 5}}, "#/webhook/url", "length", "2000"),
    (
        {"webhook": {"url": "https://a.example", "events": ["job.done"]}},
        "#/webhook/events/0",
        "enum",
        "job.succeeded",
    ),
    (
        {"webhook": {"url": "https://a.example", "secret": ""}},
        "#/webhook/secret",
        "unknown_field",
        "url",
    ),
    ({"deadline": "2020-01-01T00:00:00Z"}, "#/deadline", "deadline", "in the future"),
    ({"deadline": 0}, "#/deadline", "deadline", "in the future"),
    ({"deadline": "25h"}, "#/deadline", "deadline", "at most 24 hours"),
    ({"deadline": "soon"}, "#/deadline", "deadline", '"10m"'),
    ({"deadline": True}, "#/deadline", "deadline", '"10m"'),
]


@pytest.fixture
def sent(caller: Caller) -> Iterator[Caller]:
    """A caller nothing of whose orders is kept."""
    yield caller
    assert caller.get("/v1/jobs").json()["data"] == []


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of this answer, which must be one of this kind."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), answer.text
    document = ProblemDocument.model_validate_json(answer.content)
    assert (document.status, document.code) == (status, code)
    assert document.type == KINDS[code].type or document.type.endswith(f"/problems/{code}")
    assert document.request_id == answer.headers["x-request-id"]
    return answer.json()


def test_each_fault_is_told_by_its_place(sent: Caller) -> None:
    for change, pointer, code, words in FAULTS:
        document = problem(sent.post("/v1/jobs", ORDER | change), 422, "invalid_request")
        assert [error["pointer"] for error in document["errors"]] == [pointer], change
        (error,) = document["errors"]
        assert error["code"] == code, (change, error)
        assert words in error["detail"], (change, error)
        assert document["detail"] == f"{pointer}: {error['detail']}"


def test_all_faults_of_an_order_are_told_at_once(sent: Caller) -> None:
    order = ORDER | {
        "input": {"promt": "a boat", "duration": "soon"},
        "webhook": {"url": "http://example.com"},
        "deadline": "yesterday",
    }
    document = problem(sent.post("/v1/jobs", order), 422, "invalid_request")
    pointers = {error["pointer"] for error in document["errors"]}
    assert pointers == {"#/input/promt", "#/input/duration", "#/webhook/url", "#/deadline"}
    assert "(and 3 more, see errors)" in document["detail"]


def test_rules_between_fields_point_at_a_field(sent: Caller) -> None:
    order = ORDER | {"input": {"prompt": "a", "model_name": "kling-v1", "duration": "7"}}
    document = problem(sent.post("/v1/jobs", order), 422, "invalid_request")
    assert document["errors"][0]["pointer"] == "#/input/duration"


def test_nothing_of_the_order_is_quoted(sent: Caller) -> None:
    order = ORDER | {"input": {"prompt": 5, "sound": "private words"}, "deadline": "private too"}
    assert "private" not in sent.post("/v1/jobs", order).text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"provider": "kling",\n "operation": }', "line 2 column 15"),
        (b'{"provider": "kling"', "line 1 column 20"),
        (b"{} {}", "line 1 column 4"),
        (b'{"a": NaN}', "line 1 column 7"),
        (b'{"a": "\xff"}', "line 1 column"),
        (b'{"a": "\\ud800"}', "line 1 column"),
        (b"[" * 10_000, "recursion"),
        (b'{"a": ' + b"9" * 5000 + b"}", "out of range"),
    ],
)
def test_what_is_not_json_is_told_by_line_and_column(sent: Caller, body: bytes, words: str) -> None:
    document = problem(sent.request("POST", "/v1/jobs", content=body), 400, "malformed_json")
    assert words in document["detail"]


@pytest.mark.parametrize("body", [b"[]", b'"kling"', b"7", b"null"])
def test_json_that_is_no_object_is_refused(sent: Caller, body: bytes) -> None:
    document = problem(sent.request("POST", "/v1/jobs", content=body), 422, "invalid_request")
    assert document["errors"][0]["pointer"] == "#"
    assert "must be a JSON object" in document["errors"][0]["detail"]


def test_a_number_beyond_all_bounds_is_refused(sent: Caller) -> None:
    body = json.dumps(ORDER)[:-1] + ', "deadline": 1e999}'
    document = problem(sent.request("POST", "/v1/jobs", content=body), 422, "invalid_request")
    assert document["errors"][0]["pointer"] == "#/deadline"


@pytest.mark.parametrize(
    ("provider", "operation", "given", "words"),
    [
        ("kling", "video_extend", {"prompt": "on and on"}, "video_id: no Kling video id is given"),
        ("midjourney", "video", {"prompt": "it moves"}, "needs an image to begin with"),
        ("midjourney", "action", {"action": "U1"}, "nothing to follow"),
    ],
)
def test_what_cannot_be_sent_as_it_is_is_refused_before_it_is_accepted(
    sent: Caller, provider: str, operation: str, given: dict[str, Any], words: str
) -> None:
    body = {"provider": provider, "operation": operation, "input": given}
    document = problem(sent.post("/v1/jobs", body), 422, "invalid_request")
    (error,) = document["errors"]
    assert error["pointer"] == "#/input"
    assert words in error["detail"]


def test_what_a_dialect_has_no_place_for_is_refused_before_it_is_accepted(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    (tmp_path / "stations.toml").write_text(
        '[[stations]]\nname = "pictures"\nurl = "http://127.0.0.1:9"\n'
        'speaks = { flux = { dialect = "flux.openai" } }\n'
        'keys = [{ env = "PATH" }]\n'
    )
    order = {"provider": "flux", "operation": "pro_1_1", "input": {"prompt": "a", "seed": 7}}
    with serving(settings_of(tmp_path, sqlite_url, redis_url)) as served:
        document = problem(served.caller().post("/v1/jobs", order), 422, "invalid_request")
    (error,) = document["errors"]
    assert (error["pointer"], error["code"]) == ("#/input", "unsupported")
    assert "seed" in error["detail"]


def test_what_no_station_sells_is_unsupported(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    one = {"station_url": None, "station_key": None}
    (tmp_path / "stations.toml").write_text(
        '[[stations]]\nname = "proxy"\nurl = "http://127.0.0.1:9"\n'
        'speaks = { midjourney = { dialect = "midjourney.proxy" } }\n'
        'keys = [{ env = "PATH" }]\n'
    )
    with serving(settings_of(tmp_path, sqlite_url, redis_url, **one)) as served:
        document = problem(served.caller().post("/v1/jobs", ORDER), 422, "unsupported")
    (error,) = document["errors"]
    assert error["pointer"] == "#/operation"
    assert "kling.text2video" in error["detail"]
    assert "nothing of kling, but operations of midjourney: see" in error["detail"]


def test_without_a_station_nothing_can_be_ordered(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, sqlite_url, redis_url, stations_file=tmp_path / "nowhere.toml")
    with serving(settings) as served:
        caller = served.caller()
        document = problem(caller.post("/v1/jobs", ORDER), 503, "no_station")
        ready = caller.get("/readyz").json()
    assert "GENQ_STATION_URL" in document["detail"]
    assert not ready["checks"]["stations"]["ok"]
    assert "GENQ_STATION_URL" in ready["checks"]["stations"]["detail"]


class TestBodySize:
    @pytest.fixture
    def small(self, tmp_path: Path, sqlite_url: str, redis_url: str) -> Iterator[Caller]:
        settings = settings_of(tmp_path, sqlite_url, redis_url, max_body_bytes=200_000)
        with serving(settings) as served:
            yield served.caller()

    @staticmethod
    def order(size: int) -> bytes:
        """A good order of exactly this many bytes."""
        start = json.dumps(ORDER).encode()
        return start + b" " * (size - len(start))

    def test_announced(self, small: Caller) -> None:
        sent = small.request("POST", "/v1/jobs", content=self.order(200_001))
        assert "200000 bytes" in problem(sent, 413, "body_too_large")["detail"]

    def test_unannounced(self, small: Caller) -> None:
        parts = (b" " * 10_000 for _ in range(21))
        sent = small.request("POST", "/v1/jobs", content=parts)
        problem(sent, 413, "body_too_large")

    def test_just_within(self, small: Caller) -> None:
        body = self.order(200_000)
        assert small.request("POST", "/v1/jobs", content=body).status_code == 202
        parts = (body[start : start + 9_999] for start in range(0, len(body), 9_999))
        assert small.request("POST", "/v1/jobs", content=parts).status_code == 202

    def test_strangers_are_told_so_first(self, small: Caller) -> None:
        stranger = Caller(small.api, "stranger", "genq_" + "x" * 40)
        sent = stranger.request("POST", "/v1/jobs", content=self.order(200_001))
        problem(sent, 401, "unauthenticated")
