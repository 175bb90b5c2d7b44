"""
Midjourney: what is sent, compared whole, and the rules of reading that are better shown as tables.

What whole answers mean is in `tests/payloads/midjourney`.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Fault, InDoubt, Throttled
from generation.contract.inspect_reply import Kind, read
from generation.contract.operation import Order, Task, Unlisted
from generation.contract.reply import Reply
from generation.contract.status import AssetType
from generation.providers import find
from generation.providers.midjourney.assets import file_asset
from generation.providers.midjourney.commands import IMAGINE
from generation.providers.midjourney.operations import PROXY as AT_PROXY
from generation.providers.midjourney.operations import STATION as AT_STATION
from generation.providers.midjourney.operations import MidjourneyOperation
from generation.providers.midjourney.reasons import failure
from generation.providers.midjourney.submits import ImagineRequest
from generation.providers.midjourney.texts import task_texts
from tests.pictures import JPEG, PNG

PROXY = MidjourneyOperation(AT_PROXY, IMAGINE)
STATION = MidjourneyOperation(AT_STATION, IMAGINE)
ORDER = Order("01JZ8Q4W7Y6T5R4E3W2Q1A0S9D")
CALLBACK = "https://genq.test.invalid/callbacks/token"


# --- requests -----------------------------------------------------------------------------------


def request(**fields: Any) -> ImagineRequest:
    return ImagineRequest.model_validate({"prompt": "a red kite --v 7", **fields})


@pytest.mark.parametrize(
    ("given_image", "kept"),
    [
        pytest.param(
            "https://files.test.invalid/a.png", "https://files.test.invalid/a.png", id="url"
        ),
        pytest.param(" https://files.test.invalid/a ", "https://files.test.invalid/a", id="blanks"),
        pytest.param(f"data:image/png;base64,{PNG}", f"data:image/png;base64,{PNG}", id="data"),
        pytest.param(PNG, f"data:image/png;base64,{PNG}", id="bare png"),
        pytest.param(JPEG, f"data:image/jpeg;base64,{JPEG}", id="bare jpeg"),
        pytest.param(f"{PNG[:8]}\n{PNG[8:]}\n", f"data:image/png;base64,{PNG}", id="lines"),
    ],
)
def test_an_image_is_kept_as_a_url_or_a_data_uri(given_image: str, kept: str) -> None:
    first = request(images=[given_image])
    assert first.images == (kept,)
    # The stored request is validated again before it is sent.
    assert ImagineRequest.model_validate(first.model_dump(mode="json")) == first


@pytest.mark.parametrize(
    "image",
    [
        "http://files.test.invalid/a.png",
        "ftp://files.test.invalid/a.png",
        "https://",
        "https://files.test.invalid/a b.png",
        "https://[half",
        "data:image/png,raw",
        "data:image/png;base64,",
        "data:image/png;base64,%%%",
        "data:image/png;base64",
        "not base64!",
        "a,b",
        "",
    ],
)
def test_what_is_no_image_is_refused_by_its_place(image: str) -> None:
    with pytest.raises(ValidationError) as caught:
        request(images=[PNG, image])
    (error,) = caught.value.errors()
    assert error["loc"] == ("images", 1)
    assert "give an https URL, a data URI of an image in base64, or bare base64" in error["msg"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"prompt": ""}, ("prompt",)),
        ({"prompt": " \n"}, ("prompt",)),
        ({"prompt": None}, ("prompt",)),
        ({"botType": "NIJI_JOURNEY"}, ("botType",)),
        ({"base64Array": []}, ("base64Array",)),
        ({"state": "mine"}, ("state",)),
        ({"bot_type": ""}, ("bot_type",)),
        ({"images": PNG}, ("images",)),
        ({"account_filter": {"instance_id": ""}}, ("account_filter", "instance_id")),
        ({"account_filter": {"modes": []}}, ("account_filter", "modes")),
        ({"account_filter": {"speed": "FAST"}}, ("account_filter", "speed")),
    ],
)
def test_a_request_that_cannot_work_is_refused_by_its_field(
    fields: Mapping[str, Any], place: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as caught:
        request(**fields)
    assert [error["loc"] for error in caught.value.errors()] == [place]


def test_the_prompt_is_required() -> None:
    with pytest.raises(ValidationError, match="prompt"):
        ImagineRequest.model_validate({})


# --- calls --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [PROXY, STATION], ids=["proxy", "station"])
def test_the_example_is_sent_with_our_id(operation: MidjourneyOperation[Any]) -> None:
    call = operation.build_submit(operation.request.model_validate(operation.example), ORDER)
    assert call == Call(
        "POST",
        "/mj/submit/imagine",
        {"prompt": "a lighthouse at dusk, oil on canvas --ar 16:9 --v 7", "state": ORDER.job_id},
    )


def test_every_field_has_its_place_in_the_body() -> None:
    whole = request(
        images=["https://files.test.invalid/a.png", JPEG, "https://files.test.invalid/b.png", PNG],
        bot_type="NIJI_JOURNEY",
        mode="RELAX",
        no_storage=True,
        account_filter={
            "channel_id": "c1",
            "instance_id": "i1",
            "modes": ["RELAX", "FAST"],
            "remark": "quiet",
            "remix": False,
            "niji_remix": True,
            "remix_auto_considered": True,
        },
    )
    assert STATION.build_submit(whole, Order(ORDER.job_id, CALLBACK)) == Call(
        "POST",
        "/mj/submit/imagine",
        {
            "prompt": "https://files.test.invalid/a.png https://files.test.invalid/b.png"
            " a red kite --v 7",
            "base64Array": [f"data:image/jpeg;base64,{JPEG}", f"data:image/png;base64,{PNG}"],
            "botType": "NIJI_JOURNEY",
            "mode": "RELAX",
            "noStorage": True,
            "accountFilter": {
                "channelId": "c1",
                "instanceId": "i1",
                "modes": ["RELAX", "FAST"],
                "remark": "quiet",
                "remix": False,
                "nijiRemix": True,
                "remixAutoConsidered": True,
            },
            "state": ORDER.job_id,
            "notifyHook": CALLBACK,
        },
    )


def test_what_says_nothing_is_left_out() -> None:
    call = PROXY.build_submit(request(images=[], account_filter={}), ORDER)
    assert call.json == {"prompt": "a red kite --v 7", "state": ORDER.job_id}


@pytest.mark.parametrize("operation", [PROXY, STATION], ids=["proxy", "station"])
def test_questions_begin_at_the_root(operation: MidjourneyOperation[Any]) -> None:
    assert operation.build_query(Task("17/4 ä")) == Call("GET", "/mj/task/17%2F4%20%C3%A4/fetch")
    assert operation.build_batch_query(["1", "2"]) == Call(
        "POST", "/mj/task/list-by-condition", {"ids": ["1", "2"]}
    )


def test_only_a_proxy_lists_and_cancels() -> None:
    assert PROXY.build_find(ORDER) == Call("GET", "/mj/task/list")
    assert PROXY.build_cancel(Task("17")) == Call("POST", "/mj/task/17/cancel")
    assert STATION.build_find(ORDER) is None
    assert STATION.build_cancel(Task("17")) is None


def test_both_dialects_are_known_and_paced_by_their_books() -> None:
    proxy = find("midjourney", "imagine", "midjourney.proxy")
    station = find("midjourney", "imagine", "midjourney.station")
    assert proxy is not None and proxy.pace.floor == timedelta(seconds=3)
    assert station is not None and station.pace.floor == timedelta(seconds=15)
    assert proxy.pace.deadline == station.pace.deadline == timedelta(hours=1)


# --- replies ------------------------------------------------------------------------------------

FAILED, INVALID, MODERATED = (
    ErrorCode.UPSTREAM_FAILED,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.MODERATED,
)
UNAVAILABLE, CREDIT, CANCELED = (
    ErrorCode.UNAVAILABLE,
    ErrorCode.OUT_OF_CREDITS,
    ErrorCode.CANCELED,
)


@pytest.mark.parametrize(
    ("reason", "code", "retryable"),
    [
        ("[Banned prompt detected] …", MODERATED, False),
        ("Invalid prompt, …", MODERATED, False),
        ("可能包含敏感词", MODERATED, False),
        ("Image denied", MODERATED, False),
        ("Request blocked by content policy", MODERATED, False),
        ("Request cancelled due to image filters", MODERATED, False),
        ("Request cancelled due to output filters", MODERATED, False),
        ("Sorry! Our AI moderator thinks this is against the rules", MODERATED, False),
        ("Blocked", MODERATED, False),
        ("[Invalid parameter] `--ar` is out of range", INVALID, False),
        ("[invalid_parameter] The prompt word format is incorrect", INVALID, False),
        ("Invalid link, Invalid URL format", INVALID, False),
        ("Invalid Form Body", INVALID, False),
        ("Empty prompt", INVALID, False),
        ("[Action needed to continue] …", INVALID, False),
        ("parameter error", INVALID, False),
        ("未找到父级任务", INVALID, False),
        ("未找到目标图片的 U 操作", INVALID, False),
        ("未知操作", INVALID, False),
        ("不支持的操作", INVALID, False),
        ("[Queue full] …", ErrorCode.QUEUE_FULL, True),
        ("[Job queued] …", ErrorCode.QUEUE_FULL, True),
        ("队列已满", ErrorCode.QUEUE_FULL, True),
        ("Subscription required", CREDIT, True),
        ("[Subscription paused] …", CREDIT, True),
        ("[Out of hours] …", CREDIT, True),
        ("任务失败，请重试", CREDIT, True),
        ("Relaxed video is limited to Pro and Mega plans", CREDIT, True),
        ("[Pending mod message] …", UNAVAILABLE, True),
        ("https://relay.test.invalid/captcha/1", UNAVAILABLE, True),
        ("CF 验证", UNAVAILABLE, True),
        ("上游任务超时（超过1小时）", FAILED, True),
        ("任务超时", FAILED, True),
        ("执行超时 10 分钟", FAILED, True),
        ("任务提交超时", FAILED, True),
        ("timeout", FAILED, True),
        ("超时，未找到消息", FAILED, True),
        ("实例不可用", UNAVAILABLE, True),
        ("无可用的账号实例", UNAVAILABLE, True),
        ("服务异常，请稍后重试", UNAVAILABLE, True),
        ("Failed to process your command", UNAVAILABLE, True),
        ("[Internal Server Error] …", UNAVAILABLE, True),
        ("获取渠道信息失败，请联系管理员，渠道ID：7", UNAVAILABLE, True),
        ("取消任务", CANCELED, False),
        ("强制取消", CANCELED, False),
        ("Job cancelled", CANCELED, False),
        ("操作失败，请稍后重试", FAILED, True),
        ("文件上传失败", FAILED, True),
        ("文件不存在", FAILED, True),
        ("任务处理失败", FAILED, True),
        ("The resource is being rate limited.", ErrorCode.RATE_LIMITED, True),
        ("[Blocked] You have been blocked from accessing Midjourney.", UNAVAILABLE, True),
    ],
)
def test_a_reason_is_known_by_its_words(reason: str, code: ErrorCode, retryable: bool) -> None:
    told = failure(reason)
    assert (told.message, told.code, told.retryable) == (reason, code, retryable)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://localhost:3000/mj/image/1?sig=0#x", "/mj/image/1?sig=0"),
        ("http://LOCALHOST/mj/image/1", "/mj/image/1"),
        ("http://localhost//evil.test.invalid/a.png", "/evil.test.invalid/a.png"),
        ("http://[::1]:3000/mj/image/1", "/mj/image/1"),
        ("http://192.168.1.7/under/mj/image/1", "/mj/image/1"),
        ("https://172.16.0.9/mj/image/1", "/mj/image/1"),
        ("http://0.0.0.0:3000/mj/image/1", "/mj/image/1"),
        ("http://127.0.0.1:9000/a.png", "http://127.0.0.1:9000/a.png"),
        ("https://8.8.8.8/mj/image/1", "https://8.8.8.8/mj/image/1"),
        ("https://localhost.test.invalid/mj/image/1", "https://localhost.test.invalid/mj/image/1"),
    ],
)
def test_a_host_only_the_station_reaches_is_left_out(url: str, seen: str) -> None:
    asset = file_asset(url, "grid", AssetType.IMAGE)
    assert asset is not None and asset.url == seen


@pytest.mark.parametrize(
    ("name", "medium"),
    [
        ("a.png", AssetType.IMAGE),
        ("a.WEBP", AssetType.IMAGE),
        ("a.mp4", AssetType.VIDEO),
        ("a.webm", AssetType.VIDEO),
        ("a.MOV?ex=6836daff", AssetType.VIDEO),
        ("a?name=a.png", AssetType.VIDEO),
        ("a.png/", AssetType.IMAGE),
    ],
)
def test_the_extension_tells_the_medium_and_the_field_where_it_is_silent(
    name: str, medium: AssetType
) -> None:
    asset = file_asset(f"https://cdn.test.invalid/{name}", "result", AssetType.VIDEO)
    assert asset is not None and asset.type is medium


def test_a_signed_url_says_when_it_ends() -> None:
    asset = file_asset("https://cdn.test.invalid/a.png?ex=6836daff&", "grid", AssetType.IMAGE)
    assert asset is not None
    assert asset.expires_at == datetime(2025, 5, 28, 9, 44, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1️⃣ a cat\n\n2️⃣ a dog", ("a cat", "a dog")),
        ("1\u20e3a cat\r\n2\u20e3 a dog ", ("a cat", "a dog")),
        ("1️⃣ 3 cats, 5 dogs", ("3 cats, 5 dogs",)),
        ("## Shortened prompts\n1️⃣ cat", ("cat",)),
        ("a cat", ("a cat",)),
        ("1️⃣ ", ()),
        ("", ()),
    ],
)
def test_numbered_texts_are_told_apart(text: str, parts: tuple[str, ...]) -> None:
    assert task_texts({"properties": {"finalPrompt": text}}, "SHORTEN") == parts


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 7 ", timedelta(seconds=7)),
        ("999999999999", timedelta(days=1)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
        ("", None),
    ],
)
def test_a_throttled_submit_says_when_to_come_back(header: str, wait: timedelta | None) -> None:
    with pytest.raises(Throttled) as caught:
        STATION.parse_submit(Reply(429, b"{}", {"retry-after": header}))
    assert caught.value.retry_after == wait


@pytest.mark.parametrize("job_id", ["", "mine"])
def test_a_list_names_the_orders_that_may_prove_how_far_it_reaches(job_id: str) -> None:
    tasks = [
        {"id": "1", "state": "other", "submitTime": 1_700_000_000_000},
        {"id": "2", "state": ""},
    ]
    found = PROXY.parse_find(Reply(200, json.dumps(tasks).encode()), Order(job_id))
    assert found == Unlisted(frozenset({"other"}))


def test_a_list_that_names_nobody_proves_nothing() -> None:
    with pytest.raises(InDoubt):
        PROXY.parse_find(Reply(200, b'[{"id": "2", "state": ""}]'), Order("mine"))


# --- whatever comes -----------------------------------------------------------------------------

FIELDS = [
    "code",
    "description",
    "result",
    "properties",
    "type",
    "error",
    "message",
    "status",
    "progress",
    "action",
    "id",
    "imageUrl",
    "imageUrls",
    "videoUrl",
    "videoUrls",
    "url",
    "buttons",
    "failReason",
    "submitTime",
    "state",
    "seed",
    "imageWidth",
    "finalPrompt",
    "numberOfQueues",
    "bannedWord",
    "remix",
    "customId",
    "label",
]
WORDS = [
    "SUCCESS",
    "FAILURE",
    "MODAL",
    "CANCEL",
    "DESCRIBE",
    "SHORTEN",
    "IMAGINE",
    "1",
    "21",
    "22",
    "3",
    "http://[",
    "https://a//b?ex=ffffffff",
    "http://localhost",
    "窗口",
    "存在",
    "无可用渠道",
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([*WORDS, 1, 3, 21, 22, 1e300]),
    st.text(),
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=20,
)
bodies = st.binary() | documents.map(json.dumps).map(str.encode)
statuses = st.sampled_from([200, 204, 301, 400, 401, 403, 404, 429, 500, 503])


@settings(deadline=None)
@given(body=bodies, status=statuses, kind=st.sampled_from(Kind))
def test_any_answer_is_a_status_or_a_fault(body: bytes, status: int, kind: Kind) -> None:
    try:
        read(PROXY, kind, Reply(status, body, {"retry-after": "x"}), ORDER)
    except Fault as fault:
        assert fault.message
