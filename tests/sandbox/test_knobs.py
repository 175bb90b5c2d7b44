"""What a prompt's brackets are read as."""

import math
from pathlib import Path

import pytest

import ops.sandbox
from ops.sandbox.config import SandboxConfig
from ops.sandbox.control import ENDPOINTS
from ops.sandbox.knobs import NO_KNOBS, Knob, parse_knobs

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_knobs_stand_together_anywhere_in_the_prompt() -> None:
    knobs = parse_knobs("[throttle=2] a cat [slow=0.5] on [fail=too many cats] a mat [stuck]")
    assert knobs.number(Knob.THROTTLE) == 2
    assert knobs.number(Knob.SLOW) == 0.5
    assert knobs.text(Knob.FAIL) == "too many cats"
    assert knobs.has(Knob.STUCK)
    assert not knobs.has(Knob.DROP)


def test_a_counted_knob_without_a_number_applies_every_time() -> None:
    assert parse_knobs("[lost]").number(Knob.LOST) == math.inf


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat",
        "[verse] la la [chorus]",
        "[Fail]",
        "[throttle=often]",
        "[throttle=-1]",
        "[slow]",
        "[stuck=yes]",
        "[seconds=1e9]",
        "[[[fail",
        "]fail[",
    ],
)
def test_what_is_no_knob_is_text(prompt: str) -> None:
    assert parse_knobs(prompt) is NO_KNOBS


def test_failing_needs_no_text() -> None:
    knobs = parse_knobs("[fail]")
    assert knobs.has(Knob.FAIL)
    assert knobs.text(Knob.FAIL, "because") == "because"


@pytest.mark.parametrize("where", ["the package", "the documentation"])
def test_everything_one_can_turn_is_written_down(where: str) -> None:
    text = str(ops.sandbox.__doc__) if where == "the package" else PAGE.read_text(encoding="utf-8")
    assert [knob.usage for knob in Knob if f"`{knob.usage}`" not in text] == []
    assert [endpoint for endpoint in ENDPOINTS if endpoint not in text] == []
    if where == "the documentation":
        missing = [name for name in SandboxConfig.model_fields if f"`{name}`" not in text]
        assert missing == []
