"""What Flux's orders may hold, and what is sent for them in each dialect, compared whole."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from api.http.problems import Problem
from api.operations.catalogue import Catalogue
from generation import providers
from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Operation, Order, Parent, Task
from generation.contract.reply import Reply
from generation.contract.status import Accepted, Asset, AssetType, Succeeded
from generation.providers.flux import OPERATIONS
from generation.providers.flux.request import FluxRequest
from generation.stations.binding import bound
from generation.stations.station import Dialect, Key, Station, Stations
from tests.pictures import PNG

ORDER = Order(job_id="01JZ8Q4W7Y6T5R4E3W2Q1A0S9D")
HOOKED = Order("job-1", callback_url="https://genq.test.invalid/callbacks/x")
REPLICATE, FAL = "flux.replicate", "flux.fal"
PNG_URI = f"data:image/png;base64,{PNG}"
ROOM = "https://images.test.invalid/room.jpg"
CHAIR = "https://images.test.invalid/chair.jpg"
COMMON = {"prompt_upsampling": False, "safety_tolerance": 2, "output_format": "jpeg"}
MANUAL = Path(__file__).parents[3] / "docs" / "providers" / "flux.md"


def flux(name: str, dialect: str = "flux.bfl") -> Operation[FluxRequest]:
    operation = providers.find("flux", name, dialect)
    assert operation is not None
    return operation


def submitted(name: str, dialect: str, fields: Any, order: Order = ORDER) -> Call:
    operation = flux(name, dialect)
    return operation.build_submit(operation.request.model_validate(fields), order)


def complaints(name: str, fields: Any) -> dict[str, str]:
    """Message by path of the field at fault; empty where the request is fine."""
    dialect = providers.dialects("flux", name)[0]
    try:
        flux(name, dialect).request.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


def parent(name: str, *assets: Asset, **details: Any) -> Order:
    return Order("job-2", parent=Parent(name, "t-1", {}, {}, Succeeded(assets, details=details)))


PICTURE = Asset(type=AssetType.IMAGE, url="https://files.test.invalid/1.png")
VIDEO = Asset(type=AssetType.VIDEO, url="https://files.test.invalid/1.mp4")


class TestVendor:
    @pytest.mark.parametrize(
        ("name", "fields", "path", "body"),
        [
            (
                "pro_1_1",
                {"prompt": "a cat", "seed": 7, "image_prompt": PNG_URI},
                "flux-pro-1.1",
                {**COMMON, "prompt": "a cat", "seed": 7, "width": 1024, "height": 768}
                | {"image_prompt": PNG},
            ),
            (
                "ultra",
                {"prompt": "a cat", "raw": True},
                "flux-pro-1.1-ultra",
                {**COMMON, "prompt": "a cat", "aspect_ratio": "16:9", "raw": True},
            ),
            (
                "ultra",
                {"prompt": "a cat", "finetune_id": "mine", "finetune_strength": 1.1},
                "flux-pro-1.1-ultra-finetuned",
                {**COMMON, "prompt": "a cat", "aspect_ratio": "16:9", "raw": False}
                | {"finetune_id": "mine", "finetune_strength": 1.1},
            ),
            (
                "pro",
                {"prompt": "a cat", "steps": 40, "guidance": 2.5, "interval": 2},
                "flux-pro",
                {**COMMON, "prompt": "a cat", "width": 1024, "height": 768}
                | {"steps": 40, "guidance": 2.5, "interval": 2},
            ),
            (
                "kontext_max",
                {"prompt": "at night", "input_image": ROOM, "input_image_2": PNG},
                "flux-kontext-max",
                {**COMMON, "prompt": "at night", "input_image": ROOM, "input_image_2": PNG},
            ),
            (
                "fill",
                {"image": PNG, "mask": PNG_URI},
                "flux-pro-1.0-fill",
                {**COMMON, "image": PNG, "mask": PNG, "prompt": "", "steps": 50, "guidance": 60},
            ),
            (
                "expand",
                {"image": PNG, "left": 64, "steps": 20},
                "flux-pro-1.0-expand",
                {**COMMON, "image": PNG, "top": 0, "bottom": 0, "left": 64, "right": 0}
                | {"prompt": "", "steps": 20, "guidance": 60},
            ),
            (
                "canny",
                {"prompt": "a cat", "preprocessed_image": PNG, "finetune_id": "mine"},
                "flux-pro-1.0-canny-finetuned",
                {**COMMON, "prompt": "a cat", "preprocessed_image": PNG, "steps": 50}
                | {"guidance": 30, "canny_low_threshold": 50, "canny_high_threshold": 200}
                | {"finetune_id": "mine"},
            ),
            (
                "flux_2_pro",
                {"prompt": "a cat", "width": 0, "input_image": ROOM, "input_image_8": PNG},
                "flux-2-pro",
                {"prompt": "a cat", "width": 0, "safety_tolerance": 2, "output_format": "jpeg"}
                | {"input_image": ROOM, "input_image_8": PNG},
            ),
            (
                "flux_2_flex",
                {"prompt": "a cat", "guidance": 4.5},
                "flux-2-flex",
                {"prompt": "a cat", "prompt_upsampling": True, "safety_tolerance": 2}
                | {"output_format": "jpeg", "steps": 50, "guidance": 4.5},
            ),
            (
                "try_on",
                {"person": ROOM, "garment": PNG, "model": "flux-tools/vto-v2"},
                "flux-tools/vto-v2",
                {"person": ROOM, "garment": PNG},
            ),
            (
                "flux_3_video",
                {"mode": "i2v", "prompt": "a cat", "keyframes": [[0, ROOM], [2.5, PNG]]},
                "flux-3-video",
                {"mode": "i2v", "prompt": "a cat", "keyframes": [[0, ROOM], [2.5, PNG]]}
                | {"safety_tolerance": 2},
            ),
        ],
    )
    def test_an_order_is_sent_in_the_vendors_words(
        self, name: str, fields: Any, path: str, body: Any
    ) -> None:
        assert submitted(name, "flux.bfl", fields) == Call("POST", f"/v1/{path}", body)
        assert submitted(name, "flux.relay", fields) == Call("POST", f"/v1/{path}", body)

    def test_a_webhook_would_cost_the_polling_url(self) -> None:
        plain = submitted("pro_1_1", "flux.bfl", {"prompt": "a cat"})
        assert submitted("pro_1_1", "flux.bfl", {"prompt": "a cat"}, HOOKED) == plain
        relayed = submitted("pro_1_1", "flux.relay", {"prompt": "a cat"}, HOOKED)
        assert relayed.json == {**(plain.json or {}), "webhook_url": HOOKED.callback_url}

    @pytest.mark.parametrize(
        ("given", "asked"),
        [
            ("https://api.us1.bfl.test/v1/get_result?id=t-1", None),
            (
                "https://api.us1.bfl.test/v1/get_result",
                "https://api.us1.bfl.test/v1/get_result?id=t-1",
            ),
            (
                "https://api.us1.bfl.test/v1/get_result?region=us",
                "https://api.us1.bfl.test/v1/get_result?region=us&id=t-1",
            ),
        ],
    )
    def test_the_polling_url_is_asked(self, given: str, asked: str | None) -> None:
        task = Task("t-1", {"polling_url": given})
        own = Call("GET", "/v1/get_result", params={"id": "t-1"})
        assert flux("pro_1_1").build_query(task) == Call("GET", asked or given, otherwise=own)
        assert flux("pro_1_1", "flux.relay").build_query(task) == own

    @pytest.mark.parametrize("details", [{}, {"polling_url": 5}, {"polling_url": "http://[/x"}])
    def test_without_one_the_plain_address_is_asked(self, details: Any) -> None:
        own = Call("GET", "/v1/get_result", params={"id": "t-1"})
        assert flux("pro_1_1").build_query(Task("t-1", details)) == own

    def test_a_relay_mounts_the_paths_under_its_prefix(self) -> None:
        call = submitted("pro_1_1", "flux.relay", {"prompt": "a cat"})
        assert Dialect(dialect="flux.relay").path(call.path, submit=True) == "/flux/v1/flux-pro-1.1"
        under_bfl = Dialect(dialect="flux.relay", prefix="/bfl")
        assert under_bfl.path("/v1/get_result", submit=False) == "/bfl/v1/get_result"


class TestReplicate:
    @pytest.mark.parametrize(
        ("name", "fields", "model", "said"),
        [
            (
                "pro_1_1",
                {"prompt": "a cat", "image_prompt": PNG, "width": 1440},
                "flux-1.1-pro",
                {"prompt": "a cat", "image_prompt": PNG_URI, "prompt_upsampling": False}
                | {"aspect_ratio": "custom", "width": 1440, "height": 768}
                | {"safety_tolerance": 2, "output_format": "jpg"},
            ),
            (
                "dev",
                {"prompt": "a cat", "steps": 28, "output_format": "webp"},
                "flux-dev",
                {"prompt": "a cat", "num_inference_steps": 28, "aspect_ratio": "4:3"}
                | {"output_format": "webp"},
            ),
            (
                "flux_2_max",
                {"prompt": "a cat", "input_image": ROOM, "input_image_2": CHAIR},
                "flux-2-max",
                {"prompt": "a cat", "input_images": [ROOM, CHAIR], "safety_tolerance": 2}
                | {"output_format": "jpg"},
            ),
            (
                "redux",
                {"image": PNG, "width": 768, "height": 768},
                "flux-redux-dev",
                {"redux_image": PNG_URI, "aspect_ratio": "1:1", "output_format": "jpg"},
            ),
        ],
    )
    def test_an_order_is_sent_in_replicates_words(
        self, name: str, fields: Any, model: str, said: Any
    ) -> None:
        path = f"/v1/models/black-forest-labs/{model}/predictions"
        assert submitted(name, "flux.replicate", fields) == Call("POST", path, {"input": said})

    @pytest.mark.parametrize(
        ("name", "dialect", "fields", "words"),
        [
            ("pro_1_1", REPLICATE, {"safety_tolerance": 0}, "safety_tolerance 1 to 6"),
            ("pro_1_1", FAL, {"safety_tolerance": 0}, "safety_tolerance 1 to 6"),
            ("flux_2_pro", FAL, {"safety_tolerance": 0}, "safety_tolerance 1 to 5"),
            ("pro", REPLICATE, {"guidance": 1.5}, "guidance 2 to 5"),
            ("schnell", REPLICATE, {"steps": 5}, "steps 1 to 4"),
            ("ultra", REPLICATE, {"output_format": "webp"}, "output_format jpeg or png"),
            ("pro_1_1", FAL, {"output_format": "webp"}, "output_format jpeg or png"),
            ("flux_2_max", FAL, {"output_format": "webp"}, "output_format jpeg or png"),
        ],
    )
    def test_a_value_that_a_reseller_refuses_is_refused_before_it_is_sent(
        self, name: str, dialect: str, fields: Any, words: str
    ) -> None:
        with pytest.raises(Rejected, match=words) as raised:
            submitted(name, dialect, {"prompt": "a cat", **fields})
        assert raised.value.code == "unsupported"

    @pytest.mark.parametrize(
        ("name", "dialect", "fields"),
        [
            ("pro_1_1", REPLICATE, {"safety_tolerance": 1, "output_format": "webp"}),
            ("pro", REPLICATE, {"guidance": 2}),
            ("schnell", FAL, {"steps": 12}),
            ("schnell", REPLICATE, {"steps": 4, "output_format": "webp"}),
            ("flux_2_klein_4b", FAL, {"output_format": "webp"}),
        ],
    )
    def test_what_a_reseller_takes_is_sent(self, name: str, dialect: str, fields: Any) -> None:
        assert submitted(name, dialect, {"prompt": "a cat", **fields}).method == "POST"

    def test_another_owners_model_can_be_named(self) -> None:
        call = submitted("dev", "flux.replicate", {"prompt": "a cat", "model": "me/flux-mine"})
        assert call.path == "/v1/models/me/flux-mine/predictions"

    def test_a_webhook_is_asked_for_the_end_only(self) -> None:
        call = submitted("schnell", "flux.replicate", {"prompt": "a cat"}, HOOKED)
        assert call.json is not None
        assert call.json["webhook"] == HOOKED.callback_url
        assert call.json["webhook_events_filter"] == ["completed"]

    def test_a_prediction_is_looked_at_and_canceled_by_its_id(self) -> None:
        operation = flux("schnell", "flux.replicate")
        path = "/v1/predictions/..%2Fx"
        assert operation.build_query(Task("../x")) == Call("GET", path)
        assert operation.build_cancel(Task("../x")) == Call("POST", f"{path}/cancel")


class TestFal:
    @pytest.mark.parametrize(
        ("name", "fields", "model", "said"),
        [
            (
                "pro_1_1",
                {"prompt": "a cat"},
                "flux-pro/v1.1",
                {"prompt": "a cat", "image_size": {"width": 1024, "height": 768}}
                | {"safety_tolerance": "2", "output_format": "jpeg", "enhance_prompt": False},
            ),
            (
                "pro_1_1",
                {"prompt": "a cat", "image_prompt": PNG},
                "flux-pro/v1.1/redux",
                {"prompt": "a cat", "image_size": {"width": 1024, "height": 768}}
                | {"safety_tolerance": "2", "output_format": "jpeg", "enhance_prompt": False}
                | {"image_url": PNG_URI},
            ),
            (
                "kontext_pro",
                {"prompt": "a cat", "aspect_ratio": "3:7"},
                "flux-pro/kontext/text-to-image",
                {"prompt": "a cat", "aspect_ratio": "3:7", "safety_tolerance": "2"}
                | {"output_format": "jpeg", "enhance_prompt": False},
            ),
            (
                "kontext_pro",
                {"prompt": "a cat", "input_image": ROOM},
                "flux-pro/kontext",
                {"prompt": "a cat", "image_url": ROOM, "safety_tolerance": "2"}
                | {"output_format": "jpeg", "enhance_prompt": False},
            ),
            (
                "kontext_pro",
                {"prompt": "a cat", "input_image": ROOM, "input_image_3": CHAIR},
                "flux-pro/kontext/multi",
                {"prompt": "a cat", "image_urls": [ROOM, CHAIR], "safety_tolerance": "2"}
                | {"output_format": "jpeg", "enhance_prompt": False},
            ),
            (
                "fill",
                {"image": ROOM, "mask": PNG, "prompt": "a door"},
                "flux-pro/v1/fill",
                {"prompt": "a door", "image_url": ROOM, "mask_url": PNG_URI}
                | {"safety_tolerance": "2", "output_format": "jpeg", "enhance_prompt": False},
            ),
            (
                "flux_2_klein_4b",
                {"prompt": "a cat", "input_image": ROOM, "width": 512, "height": 512},
                "flux-2/klein/4b/edit",
                {"prompt": "a cat", "image_urls": [ROOM], "output_format": "jpeg"}
                | {"image_size": {"width": 512, "height": 512}},
            ),
        ],
    )
    def test_an_order_is_sent_in_fals_words(
        self, name: str, fields: Any, model: str, said: Any
    ) -> None:
        assert submitted(name, "flux.fal", fields) == Call("POST", f"/fal-ai/{model}", said)

    def test_a_webhook_goes_into_the_address(self) -> None:
        call = submitted("schnell", "flux.fal", {"prompt": "a cat"}, HOOKED)
        assert call.params == {"fal_webhook": HOOKED.callback_url}

    def test_a_request_is_asked_where_the_submit_said(self) -> None:
        operation = flux("kontext_pro", "flux.fal")
        root = "https://queue.fal.test.invalid/fal-ai/flux-pro/requests/r-1"
        details = {"status_url": f"{root}/status", "cancel_url": f"{root}/cancel"}
        task = Task("r-1", details)
        own = "/fal-ai/flux-pro/requests/r-1"
        asked = Call("GET", f"{root}/status", otherwise=Call("GET", f"{own}/status"))
        assert operation.build_query(task) == asked
        stopped = Call("PUT", f"{root}/cancel", otherwise=Call("PUT", f"{own}/cancel"))
        assert operation.build_cancel(task) == stopped
        assert operation.build_query(Task("r-1")) == Call("GET", f"{own}/status")
        assert operation.build_cancel(Task("r-1")) == Call("PUT", f"{own}/cancel")


class TestOpenAI:
    @pytest.mark.parametrize(
        ("name", "fields", "body"),
        [
            ("pro_1_1", {"prompt": "a cat"}, {"model": "flux-pro-1.1", "size": "1024x768"}),
            ("kontext_pro", {"prompt": "a cat"}, {"model": "flux-kontext-pro"}),
            (
                "ultra",
                {"prompt": "a cat", "model": "flux-ultra"},
                {"model": "flux-ultra", "aspect_ratio": "16:9"},
            ),
        ],
    )
    def test_an_order_is_sent_in_openais_form(self, name: str, fields: Any, body: Any) -> None:
        sent = {"prompt": "a cat", "n": 1, **body}
        assert submitted(name, "flux.openai", fields) == Call(
            "POST", "/v1/images/generations", sent
        )

    def test_the_answer_is_waited_for(self) -> None:
        operation = flux("pro_1_1", "flux.openai")
        assert operation.submit_timeout is not None
        assert operation.submit_timeout >= timedelta(minutes=2)
        with pytest.raises(Rejected):
            operation.build_query(Task("t-1"))


@pytest.mark.parametrize(
    ("name", "dialect", "fields", "field"),
    [
        ("fill", "flux.fal", {"image": ROOM, "steps": 30}, "steps"),
        ("dev", "flux.replicate", {"prompt": "a", "image_prompt": ROOM}, "image_prompt"),
        ("dev", "flux.replicate", {"prompt": "a", "width": 1440, "height": 768}, "width"),
        ("ultra", "flux.fal", {"prompt": "a", "finetune_id": "mine"}, "finetune_id"),
        (
            "kontext_pro",
            "flux.replicate",
            {"prompt": "a", "input_image": ROOM, "input_image_2": ROOM},
            "input_image_2",
        ),
        ("canny", "flux.fal", {"prompt": "a", "preprocessed_image": ROOM}, "preprocessed_image"),
        ("kontext_pro", "flux.openai", {"prompt": "a", "input_image": ROOM}, "input_image"),
        ("pro_1_1", "flux.openai", {"prompt": "a", "seed": 7}, "seed"),
    ],
)
def test_what_a_reseller_cannot_say_is_refused_by_name(
    name: str, dialect: str, fields: Any, field: str
) -> None:
    with pytest.raises(Rejected, match=field) as raised:
        submitted(name, dialect, fields)
    assert raised.value.code is ErrorCode.UNSUPPORTED


@pytest.mark.parametrize("dialect", ["flux.fal", "flux.openai", "flux.replicate"])
def test_half_a_size_is_no_size(dialect: str) -> None:
    with pytest.raises(Rejected, match="width and height both"):
        submitted("flux_2_pro", dialect, {"prompt": "a", "width": 512})


class TestFollowUps:
    @pytest.mark.parametrize("name", ["kontext_pro", "flux_2_max"])
    def test_a_parents_picture_is_worked_on(self, name: str) -> None:
        order = parent("pro_1_1", PICTURE)
        call = submitted(name, "flux.bfl", {"prompt": "at night"}, order)
        assert call.json is not None
        assert call.json["input_image"] == PICTURE.url

    def test_the_callers_own_picture_comes_first(self) -> None:
        fields = {"prompt": "at night", "input_image": ROOM}
        call = submitted("kontext_pro", "flux.bfl", fields, parent("pro_1_1", PICTURE))
        assert call.json is not None
        assert call.json["input_image"] == ROOM

    @pytest.mark.parametrize(
        ("fields", "order", "taken"),
        [
            (
                {"mode": "draft_enhance"},
                parent("flux_3_video", VIDEO, draft_cache="https://files.test.invalid/c"),
                {"draft_cache": "https://files.test.invalid/c"},
            ),
            (
                {"mode": "v2v", "prompt": "on"},
                parent("flux_3_video", VIDEO),
                {"start_video": VIDEO.url},
            ),
            (
                {"mode": "i2v", "prompt": "on"},
                parent("ultra", PICTURE),
                {"keyframes": [PICTURE.url]},
            ),
        ],
    )
    def test_a_video_goes_on_from_its_parent(
        self, fields: Any, order: Order, taken: dict[str, Any]
    ) -> None:
        call = submitted("flux_3_video", "flux.bfl", fields, order)
        assert call.json == {**fields, **taken, "safety_tolerance": 2}

    @pytest.mark.parametrize(
        ("name", "fields", "order", "words"),
        [
            ("flux_3_video", {"mode": "draft_enhance"}, ORDER, "draft_cache"),
            ("flux_3_video", {"mode": "draft_enhance"}, parent("ultra", PICTURE), "draft_cache"),
            ("flux_3_video", {"mode": "v2v", "prompt": "on"}, ORDER, "start_video"),
            ("flux_3_video", {"mode": "v2v", "prompt": "on"}, parent("ultra", PICTURE), "video"),
            ("flux_3_video", {"mode": "i2v", "prompt": "on"}, ORDER, "keyframes"),
            ("kontext_pro", {"prompt": "on"}, parent("flux_3_video", VIDEO), "image"),
        ],
    )
    def test_what_is_missing_is_named(
        self, name: str, fields: Any, order: Order, words: str
    ) -> None:
        with pytest.raises(Rejected, match=words) as raised:
            submitted(name, "flux.bfl", fields, order)
        assert raised.value.code is ErrorCode.INVALID_REQUEST

    def test_only_what_takes_pictures_or_videos_follows(self) -> None:
        assert "ultra" in flux("kontext_pro").follows
        assert "flux_3_video" not in flux("kontext_pro").follows
        assert {"ultra", "flux_3_video"} <= flux("flux_3_video").follows
        assert not flux("pro_1_1").follows
        assert not flux("kontext_pro", "flux.openai").follows
        assert not any(operation.needs_parent for operation in OPERATIONS)


class TestRequest:
    @pytest.mark.parametrize(
        ("name", "fields"),
        [
            ("pro_1_1", {"prompt": "a", "width": 256, "height": 1440, "safety_tolerance": 6}),
            ("pro_1_1", {"prompt": "a", "model": "flux-pro-9"}),
            ("ultra", {"prompt": "a", "aspect_ratio": "9:21", "output_format": "png"}),
            ("kontext_pro", {"prompt": "a", "aspect_ratio": "7:3"}),
            ("flux_2_pro", {"prompt": "a", "width": 2048, "height": 2048}),
            ("flux_2_pro", {"prompt": "a", "width": 0, "height": 0}),
            ("flux_3_video", {"prompt": "a", "duration": 20, "resolution": "fhd"}),
            ("flux_3_video", {"mode": "draft_enhance", "draft_cache": "https://a.invalid/c"}),
            ("fill", {"image": f"data:IMAGE/PNG;base64,{PNG}"}),
            ("depth", {"prompt": "a", "preprocessed_image": f"\n{PNG}\n"}),
        ],
    )
    def test_what_may_be_asked(self, name: str, fields: Any) -> None:
        assert complaints(name, fields) == {}

    @pytest.mark.parametrize(
        ("name", "fields", "at_fault"),
        [
            ("pro_1_1", {}, {"prompt"}),
            ("pro_1_1", {"prompt": " "}, {"prompt"}),
            ("pro_1_1", {"prompt": "a", "steps": 5}, {"steps"}),
            ("pro_1_1", {"prompt": "a", "webhook_url": ROOM}, {"webhook_url"}),
            ("pro_1_1", {"prompt": "a", "width": 1000, "height": 2000}, {"width", "height"}),
            ("pro_1_1", {"prompt": "a", "safety_tolerance": 7}, {"safety_tolerance"}),
            ("pro_1_1", {"prompt": "a", "output_format": "bmp"}, {"output_format"}),
            ("pro_1_1", {"prompt": "a", "model": "../admin"}, {"model"}),
            ("pro_1_1", {"prompt": "a", "model": "a/../b"}, {"model"}),
            (
                "pro_1_1",
                {"prompt": "a", "image_prompt": "http://a.invalid/1.png"},
                {"image_prompt"},
            ),
            ("pro_1_1", {"prompt": "a", "image_prompt": "no base64!"}, {"image_prompt"}),
            ("pro_1_1", {"prompt": "a", "image_prompt": "data:text/plain,x"}, {"image_prompt"}),
            ("pro_1_1", {"prompt": "a", "image_prompt": "https://"}, {"image_prompt"}),
            ("pro_1_1", {"prompt": "a", "image_prompt": ""}, {"image_prompt"}),
            ("pro", {"prompt": "a", "steps": 51, "guidance": 1}, {"steps", "guidance"}),
            ("pro", {"prompt": "a", "interval": 5}, {"interval"}),
            ("pro", {"prompt": "a", "finetune_strength": 1}, {"finetune_strength"}),
            ("ultra", {"prompt": "a", "width": 1024}, {"width"}),
            ("ultra", {"prompt": "a", "aspect_ratio": "3:1"}, {"aspect_ratio"}),
            ("ultra", {"prompt": "a", "aspect_ratio": "0:1"}, {"aspect_ratio"}),
            ("ultra", {"prompt": "a", "image_prompt_strength": 0.5}, {"image_prompt_strength"}),
            ("kontext_pro", {"prompt": "a", "input_image_5": ROOM}, {"input_image_5"}),
            ("flux_2_klein_9b", {"prompt": "a", "input_image_5": ROOM}, {"input_image_5"}),
            ("flux_2_pro", {"prompt": "a", "width": 48, "height": 100}, {"height"}),
            ("flux_2_pro", {"prompt": "a", "width": 48, "height": 32}, {"width", "height"}),
            ("flux_2_pro", {"prompt": "a", "width": 2064, "height": 2048}, {"width"}),
            ("flux_2_pro", {"prompt": "a", "safety_tolerance": 6}, {"safety_tolerance"}),
            ("flux_2_flex", {"prompt": "a", "steps": 51, "guidance": 11}, {"steps", "guidance"}),
            ("fill", {"prompt": "a"}, {"image"}),
            ("fill", {"image": PNG, "steps": 10, "guidance": 101}, {"steps", "guidance"}),
            ("expand", {"image": PNG}, {"top"}),
            ("expand", {"image": PNG, "left": 2049}, {"left"}),
            ("canny", {"prompt": "a"}, {"control_image"}),
            (
                "canny",
                {"prompt": "a", "control_image": PNG, "canny_low_threshold": 501},
                {"canny_low_threshold"},
            ),
            ("depth", {"control_image": PNG}, {"prompt"}),
            ("outpaint", {"input_image": PNG}, {"width", "height"}),
            ("erase", {"image": PNG}, {"mask"}),
            ("try_on", {"person": PNG}, {"garment"}),
            ("flux_3_video", {}, {"prompt"}),
            ("flux_3_video", {"prompt": "a", "mode": "x2v"}, {"mode"}),
            ("flux_3_video", {"prompt": "a", "duration": 4}, {"duration"}),
            ("flux_3_video", {"prompt": "a", "safety_tolerance": 5}, {"safety_tolerance"}),
            ("flux_3_video", {"prompt": "a", "keyframes": [ROOM]}, {"keyframes"}),
            ("flux_3_video", {"prompt": "a", "start_video": ROOM}, {"start_video"}),
            ("flux_3_video", {"prompt": "a", "draft_cache": ROOM}, {"draft_cache"}),
            (
                "flux_3_video",
                {"prompt": "a", "mode": "i2v", "keyframes": [ROOM, "no!"]},
                {"keyframes.1"},
            ),
            (
                "flux_3_video",
                {"prompt": "a", "mode": "i2v", "keyframes": [ROOM] * 11},
                {"keyframes"},
            ),
            (
                "flux_3_video",
                {"prompt": "a", "mode": "v2v", "start_video": "ftp://a.invalid/x"},
                {"start_video"},
            ),
        ],
    )
    def test_what_may_not_be_asked_names_the_field(
        self, name: str, fields: Any, at_fault: set[str]
    ) -> None:
        assert set(complaints(name, fields)) == at_fault

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
    def test_the_example_works_and_survives_being_stored(
        self, operation: Operation[FluxRequest]
    ) -> None:
        request = operation.request.model_validate(operation.example)
        stored = json.loads(json.dumps(request.model_dump(mode="json", exclude_unset=True)))
        again = operation.request.model_validate(stored)
        assert operation.build_submit(again, ORDER) == operation.build_submit(request, ORDER)

    def test_keyframes_survive_being_stored(self) -> None:
        model = flux("flux_3_video").request
        fields = {"prompt": "a", "mode": "i2v", "keyframes": [[0, ROOM], [2.5, PNG]]}
        first = model.model_validate(fields)
        stored = json.loads(json.dumps(first.model_dump(mode="json", exclude_unset=True)))
        assert model.model_validate(stored) == first


class TestReplies:
    def test_the_vendors_file_dies_ten_minutes_after_its_end(self) -> None:
        body = {
            "id": "t-1",
            "status": "Ready",
            "result": {"sample": "https://delivery-eu1.bfl.ai/1.jpeg", "end_time": 1767225600},
        }
        reply = Reply(200, json.dumps(body).encode())
        for dialect in ("flux.bfl", "flux.relay"):
            status = flux("pro_1_1", dialect).parse_query(reply)
            assert isinstance(status, Succeeded)
            assert status.assets[0].expires_at == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)

    def test_ampersands_are_kept_as_json_has_them(self) -> None:
        text = '{"id":"t","status":"Ready","result":{"sample":"https://a.invalid/1?a=1\\u0026b=2"}}'
        status = flux("pro_1_1").parse_query(Reply(200, text.encode()))
        assert isinstance(status, Succeeded)
        assert status.assets[0].url == "https://a.invalid/1?a=1&b=2"

    def test_a_message_is_cut_where_nobody_reads_on(self) -> None:
        reply = Reply(400, json.dumps({"detail": "x" * 10_000}).encode())
        with pytest.raises(Rejected) as raised:
            flux("pro_1_1").parse_submit(reply)
        assert len(raised.value.message) == 500

    def test_the_place_in_the_queue_is_kept(self) -> None:
        reply = Reply(200, json.dumps({"request_id": "r", "queue_position": 3}).encode())
        assert flux("dev", "flux.fal").parse_submit(reply) == Accepted("r", queue_position=3)


class TestPace:
    def test_pictures_are_looked_at_often_and_not_for_long(self) -> None:
        for operation in OPERATIONS:
            pace, video = operation.pace, operation.name == "flux_3_video"
            assert pace.durations.early < pace.durations.typical < pace.durations.late
            assert pace.floor == timedelta(seconds=2 if video else 1)
            assert pace.deadline == timedelta(minutes=60 if video else 10)


class TestRetired:
    """What the vendor has taken off is not sold any more, and what was bought is still read."""

    @pytest.mark.parametrize("dialect", ["flux.bfl", "flux.relay"])
    @pytest.mark.parametrize(
        ("name", "successor"),
        [("pro", "pro_1_1"), ("canny", "flux_2_pro"), ("depth", "flux_2_pro")],
    )
    def test_it_is_offered_by_resellers_only(self, name: str, successor: str, dialect: str) -> None:
        stations = Stations((a_station(dialect),))
        assert stations.offering("flux", name) == ()
        assert f"flux.{name}" not in stations.offered()
        assert Stations((a_station(REPLICATE),)).offering("flux", name)
        with pytest.raises(Problem) as raised:
            Catalogue(stations).offer("flux", name)
        (complaint,) = raised.value.errors
        assert complaint.pointer == "#/operation"
        assert f"order {successor}" in complaint.detail

    def test_a_job_that_was_sent_is_still_looked_at(self) -> None:
        stations = Stations((a_station("flux.bfl"),))
        binding = bound(stations, ("a", "main"), "flux", "pro", "flux.bfl")
        assert binding.operation.build_query(Task("t-1")).path == "/v1/get_result"


def a_station(dialect: str) -> Station:
    return Station(
        name="a",
        url="https://station.test.invalid",
        speaks={"flux": Dialect(dialect=dialect)},
        keys=(Key(name="main", value=SecretStr("k")),),
    )


class TestManual:
    """The page says what the models say."""

    @pytest.mark.parametrize("name", dict.fromkeys(o.name for o in OPERATIONS))
    def test_the_table_of_an_operation_has_the_models_fields(self, name: str) -> None:
        manual = MANUAL.read_text(encoding="utf-8")
        section = re.split(rf"^## {name}$", manual, flags=re.MULTILINE)[1]
        section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
        rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*) \|", section, flags=re.MULTILINE)
        model = flux(name, providers.dialects("flux", name)[0]).request
        assert [field for field, _ in rows] == list(model.model_fields)
        for field, said in rows:
            info = model.model_fields[field]
            default = "required" if info.is_required() else shown(info.default)
            assert said.strip() == default, field

    @pytest.mark.parametrize("name", dict.fromkeys(o.name for o in OPERATIONS))
    def test_the_example_of_an_operation_is_its_example(self, name: str) -> None:
        manual = MANUAL.read_text(encoding="utf-8")
        section = re.split(rf"^## {name}$", manual, flags=re.MULTILINE)[1]
        found = re.search(r"```json\n(.*?)```", section, flags=re.DOTALL)
        assert found is not None
        dialect = providers.dialects("flux", name)[0]
        assert json.loads(found[1]) == {
            "provider": "flux",
            "operation": name,
            "input": dict(flux(name, dialect).example),
        }


def shown(default: Any) -> str:
    """A default as the page shows it; nothing where there is none, or only an empty one."""
    if default is None or default == "":
        return ""
    return f"`{json.dumps(default)}`" if not isinstance(default, str) else f"`{default}`"
