"""Parameters in a prompt that a keyboard spelt in its own way, and buttons that are not offered."""

import pytest

from generation.providers.midjourney.buttons import is_offered
from generation.providers.midjourney.prompts import readable
from tests.unit.providers.midjourney_orders import body

JOB = "MJ::JOB::"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("一只猫——ar 16：9", "一只猫 --ar 16:9"),
        ("一只猫 ——ar　１６：９ ——v ７", "一只猫 --ar 16:9 --v 7"),
        ("a cat —ar 16:9 –v 6．1", "a cat --ar 16:9 --v 6.1"),
        ("a cat －－ａｒ 3:2", "a cat --ar 3:2"),
        ("a cat --ar 16：9 --no dogs", "a cat --ar 16:9 --no dogs"),
        ("——tile", "--tile"),
        ("a cat ——no 狗，鸟 ——s 250", "a cat --no 狗，鸟 --s 250"),
        ("a cat ——sref https://a.test.invalid/1.png", "a cat --sref https://a.test.invalid/1.png"),
    ],
)
def test_a_parameter_is_written_as_the_upstream_reads_it(written: str, read: str) -> None:
    assert readable(written) == read
    assert readable(read) == read


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat — black, with 16：9 stripes",
        "a cat—no, a dog",
        "红——黑色的猫，比例 16：9",
        "他说——Apple 是一家公司",
        "a well-known --unheard 16：9",
        "a cat --ar 16:9 --v 7 --stylize 100",
        "semi--ar x",
    ],
)
def test_prose_stays_as_it_is(prompt: str) -> None:
    assert readable(prompt) == prompt


def test_every_prompt_is_sent_so() -> None:
    assert body("imagine", {"prompt": "一只猫——ar 16：9"})["prompt"] == "一只猫 --ar 16:9"
    fields = {"upstream_id": "17", "prompt": "猫 ——zoom １．５"}
    assert body("modal", fields)["prompt"] == "猫 --zoom 1.5"


@pytest.mark.parametrize(
    ("custom_id", "proxy", "relay"),
    [
        (f"{JOB}upsample::1::u", True, True),
        (f"{JOB}upsample_v7_2x_subtle::1::u::SOLO", True, True),
        (f"{JOB}low_variation::1::u::SOLO", True, True),
        (f"{JOB}reroll::0::u::SOLO", True, True),
        (f"{JOB}pan_left::1::u::SOLO", True, True),
        ("MJ::Outpaint::50::1::u::SOLO", True, True),
        ("MJ::CustomZoom::u", True, True),
        ("MJ::Inpaint::1::u::SOLO", True, True),
        (f"{JOB}animate_high::1::u::SOLO", True, False),
        (f"{JOB}video_virtual_upscale::1::u", True, False),
        (f"{JOB}animate_low_extend::1::u", True, False),
        ("MJ::Job::PicReader::1", True, False),
        ("MJ::Picread::Retry", True, False),
        ("MJ::Job::PromptAnalyzer::1", True, False),
        ("MJ::BOOKMARK::u", True, False),
        ("MJ::Job::PicReader::all", False, False),
        ("odd", True, False),
    ],
)
def test_a_button_that_cannot_be_pressed_is_not_offered(
    custom_id: str, proxy: bool, relay: bool
) -> None:
    assert is_offered(custom_id, relayed=False) is proxy
    assert is_offered(custom_id, relayed=True) is relay
