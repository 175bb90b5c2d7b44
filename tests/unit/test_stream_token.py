"""A token opens one stream, for one key, for a while."""

from datetime import timedelta

import pytest

from generation.access.stream_tokens import key_of, stream_token
from tests.unit.jobs import NOON

SECRET = b"s" * 32
KEY = "key_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
TOKEN = stream_token("job_1", KEY, NOON, SECRET)
BEFORE = NOON - timedelta(seconds=1)


def test_it_opens_the_stream_it_was_made_for() -> None:
    assert key_of(TOKEN, "job_1", BEFORE, SECRET) == KEY


def test_it_opens_no_other_and_not_for_ever() -> None:
    assert key_of(TOKEN, "job_2", BEFORE, SECRET) is None
    assert key_of(TOKEN, "job_1", NOON, SECRET) is None
    assert key_of(TOKEN, "job_1", BEFORE, b"t" * 32) is None


@pytest.mark.parametrize(
    "token",
    [
        TOKEN.replace(KEY, KEY[:-1] + "H"),
        TOKEN.replace(f".{int(NOON.timestamp())}.", f".{int(NOON.timestamp()) + 9}."),
        TOKEN[:-1] + ("A" if TOKEN[-1] != "A" else "B"),
        TOKEN + "A",
        TOKEN.rpartition(".")[0],
        f"{KEY}.999999999999.{'x' * 32}",
        f"{KEY}.١.{'x' * 32}",
        "",
        "..",
    ],
)
def test_nobody_makes_one(token: str) -> None:
    assert key_of(token, "job_1", BEFORE, SECRET) is None
