"""Callback addresses: who can make one, and what it says."""

import json
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from generation.access.callback_tokens import callback_url, job_called, task_named, token

SECRET = b"s" * 32
JOB = "job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"


def test_an_address_leads_to_its_job_and_to_no_other() -> None:
    address = callback_url("https://genq.example", JOB, SECRET)
    begin, _, given = address.rpartition("/")
    assert begin == "https://genq.example/v1/callbacks"
    assert job_called(given, SECRET) == JOB
    other = JOB.replace("9G", "9H")
    assert job_called(given.replace(JOB, other), SECRET) is None
    assert token(JOB, SECRET) != token(other, SECRET).replace(other, JOB)


def test_nothing_else_passes() -> None:
    given = token(JOB, SECRET)
    forged = [JOB, f"{JOB}.", given[:-1], given + "x", given.upper(), "", ".", "猫.猫"]
    assert [job_called(text, SECRET) for text in forged] == [None] * len(forged)
    assert job_called(given, b"t" * 32) is None, "another deployment's"


def test_an_address_fits_where_addresses_go() -> None:
    assert len(token(JOB, SECRET)) < 70
    assert token(JOB, SECRET).replace("-", "").replace("_", "").replace(".", "").isalnum()


@pytest.mark.parametrize(
    ("posted", "named"),
    [
        ({"id": "1748339029401828", "action": "IMAGINE", "status": "SUCCESS"}, "1748339029401828"),
        ({"task_id": "f4a94d75-087b", "status": "SUCCESS", "data": [{"id": "a"}]}, "f4a94d75-087b"),
        (
            {"code": 200, "msg": "ok", "data": {"callbackType": "complete", "task_id": "5c79"}},
            "5c79",
        ),
        ({"code": 200, "data": {"taskId": "ab_1", "info": {}}}, "ab_1"),
        ({"request_id": "r-1", "gateway_request_id": "g-1", "status": "OK"}, "r-1"),
        ({"id": 12}, "12"),
        ({"id": "../../admin"}, None),
        ({"id": True, "task_id": ""}, None),
        ({"id": "x" * 301}, None),
        ([{"id": "a"}], None),
        ("", None),
    ],
)
def test_a_call_names_the_task_it_is_about(posted: Any, named: str | None) -> None:
    assert task_named(json.dumps(posted).encode()) == named


@drawn(st.binary(max_size=60))
def test_whatever_is_posted_names_a_task_or_none(body: bytes) -> None:
    assert task_named(body) is None or len(task_named(body) or "") <= 300
