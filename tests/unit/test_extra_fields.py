"""Fields of a request that genq does not know, at stations that take them and at others."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from api.http.problems import Problem
from api.jobs.follow_ups import FollowUps
from api.jobs.submission import SubmissionReader, read_submission
from api.operations.catalogue import Catalogue
from generation.contract.errors import Rejected
from generation.job import Job
from generation.settings import Settings
from generation.stations.binding import bound
from generation.stations.station import Dialect, ExtraFields, Key, Station, Stations
from generation.store import ApiKey
from generation.upstream.requests import build_submit
from tests.unit.jobs import a_job

CHAT = {"model": "m", "prompt": "a", "top_k": 40, "stream": True}


def stations(*policies: str) -> Stations:
    return Stations(
        tuple(
            Station(
                name=f"{policy}s",
                url="https://station.test.invalid",
                speaks={
                    "openai": Dialect(dialect="openai.relay", extra_fields=ExtraFields(policy)),
                    "midjourney": Dialect(
                        dialect="midjourney.proxy", extra_fields=ExtraFields(policy)
                    ),
                },
                keys=(Key(name="main", value=SecretStr("k")),),
            )
            for policy in policies
        )
    )


def ordered(sold_by: Stations, fields: dict[str, Any], operation: str = "openai.chat") -> Job:
    provider, name = operation.split(".")
    reader = SubmissionReader(Settings(), Catalogue(sold_by), FollowUps(sold_by))
    submission = read_submission({"provider": provider, "operation": name, "input": fields})
    return reader.job(submission, caller(), datetime.now(UTC), None)


def caller() -> ApiKey:
    return ApiKey(
        id="key_1",
        tenant="t",
        prefix="genq_a",
        webhook_secret="whsec_AAAA",
        created_at=datetime.now(UTC),
    )


def sent(sold_by: Stations, station: str, job: Job) -> Any:
    binding = bound(sold_by, (station, "main"), job.provider, job.operation, job.dialect or "")
    return build_submit(binding, job, None, None).json


def test_they_are_refused_with_what_was_meant_unless_a_station_takes_them() -> None:
    with pytest.raises(Problem) as raised:
        ordered(stations("refuse"), {**CHAT, "temperatur": 1})
    found = {complaint.pointer: complaint for complaint in raised.value.errors}
    assert set(found) == {"#/input/top_k", "#/input/temperatur"}
    assert "did you mean temperature?" in found["#/input/temperatur"].detail


def test_they_are_kept_and_sent_as_they_are_where_a_station_takes_them() -> None:
    sold_by = stations("pass", "refuse")
    job = ordered(sold_by, CHAT)
    assert job.input["top_k"] == 40
    job = a_job(provider="openai", operation="chat", dialect="openai.relay", input=job.input)
    body = sent(sold_by, "passs", job)
    assert body["top_k"] == 40
    assert body["messages"] == [{"role": "user", "content": "a"}]
    with pytest.raises(Rejected, match="not told to pass on top_k") as raised:
        sent(sold_by, "refuses", job)
    assert raised.value.code == "unsupported"


def test_they_replace_nothing_that_is_sent_anyway() -> None:
    sold_by = stations("pass")
    job = ordered(sold_by, {"prompt": "a", "state": "mine", "seed": 3}, "midjourney.imagine")
    job = a_job(
        provider="midjourney", operation="imagine", dialect="midjourney.proxy", input=job.input
    )
    assert sent(sold_by, "passs", job) == {"prompt": "a", "state": job.id, "seed": 3}


def test_a_known_field_is_checked_as_ever() -> None:
    with pytest.raises(Problem) as raised:
        ordered(stations("pass"), {**CHAT, "temperature": 3})
    assert [complaint.pointer for complaint in raised.value.errors] == ["#/input/temperature"]
