"""`genq check` finds problems and says what to change."""

from pathlib import Path
from typing import Any

from tests.cli.conftest import Deployment
from tests.cli.script import Genq, Outcome


def found(answer: Outcome) -> dict[str, list[tuple[str, str]]]:
    """Level and message of everything found, by subject."""
    by_subject: dict[str, list[tuple[str, str]]] = {}
    for finding in answer.json["findings"]:
        told = (finding["level"], finding["message"])
        by_subject.setdefault(finding["subject"], []).append(told)
    return by_subject


def levels(answer: Outcome) -> dict[str, set[str]]:
    return {subject: {level for level, _ in told} for subject, told in found(answer).items()}


def test_a_running_deployment_is_usable(deployment: Deployment) -> None:
    answer = deployment.operator("check")
    assert (answer.code, answer.err) == (0, "")
    rows = [line.split(maxsplit=2) for line in answer.out.splitlines()[1:] if line.strip()]
    assert {level for level, *_ in rows} == {"ok"}, answer.out
    told = {subject: message for _, subject, message in rows}
    assert {"settings", "stations", "webhooks", "flower", "database", "broker"} <= set(told)
    assert "text2video" in told["kling"]
    assert "toys" in told["kling"]
    assert told["key"].startswith("toys/main"), "the limits of each key"
    for secret in ("a-key-of-toys", "by:night"):
        assert secret not in answer.out


def test_invalid_settings_are_reported_by_variable(genq: Genq) -> None:
    broken = genq.having(
        api_port="hush-1", tick="hush-2", worker_concurrency="0", webhook_allowed_networks="hush-3"
    )
    answer = broken("check", "--json")
    assert answer.code == 1
    told = [message for _, message in found(answer)["settings"]]
    assert sorted(message.partition(":")[0] for message in told) == [
        "GENQ_API_PORT",
        "GENQ_TICK",
        "GENQ_WEBHOOK_ALLOWED_NETWORKS",
        "GENQ_WORKER_CONCURRENCY",
    ]
    assert "GENQ_API_PORT: give a whole number" in told
    assert "hush" not in answer.out


def test_other_commands_report_the_same_setting_errors(genq: Genq) -> None:
    unknown = genq.having(log_level="loud", redis_url="localhost")("worker")
    assert unknown.code == 1
    assert "GENQ_LOG_LEVEL: must be DEBUG, INFO" in unknown.sentence
    assert "GENQ_REDIS_URL: must begin with redis://" in unknown.sentence
    half = genq.having(station_url="http://127.0.0.1")("api")
    assert half.code == 1
    assert half.sentence.startswith("genq: GENQ_STATION_URL and GENQ_STATION_KEY belong")


def test_check_of_an_empty_folder(genq: Genq, tmp_path: Path) -> None:
    answer = genq.having(redis_url="redis://:hush@127.0.0.1:1/0")("check", "--json")
    assert answer.code == 1
    assert answer.json["usable"] is False
    problems = {subject for subject, told in levels(answer).items() if told == {"problem"}}
    assert problems == {"stations", "database", "broker"}
    assert "GENQ_STATION_URL" in found(answer)["stations"][0][1]
    assert "genq migrate" in found(answer)["database"][0][1]
    assert "GENQ_REDIS_URL" in found(answer)["broker"][0][1]
    assert "hush" not in answer.out
    assert not (tmp_path / ".genq").exists()


def test_check_reports_all_problems_at_once(genq: Genq, tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "stations.toml").write_text('[[stations]]\nname = "a"\nkeys = [{env = "NOT_SET"}]')
    broken = genq.having(
        database_url=postgres_url,
        redis_url="redis://127.0.0.1:1/0",
        webhook_allow_http="true",
        webhook_allowed_networks="10.0.0.0/8",
        webhook_allowed_ports="any",
        flower_host="0.0.0.0",
        api_key="short",
    )
    answer = broken("check", "--json")
    assert answer.code == 1
    told: dict[str, list[Any]] = {subject: list(each) for subject, each in levels(answer).items()}
    assert told == {
        "settings": ["ok"],
        "stations": ["problem"],
        "webhooks": ["warning"],
        "flower": ["problem"],
        "first key": ["problem"],
        "database": ["ok"],
        "API keys": ["problem"],
        "rows": ["ok"],
        "clock": ["ok"],
        "broker": ["problem"],
    }
    assert "NOT_SET" in found(answer)["stations"][0][1]
    assert len(found(answer)["webhooks"]) == 3
    assert "genq keys create" in found(answer)["API keys"][0][1]


def test_stations_that_name_polling_urls_are_reported(genq: Genq, tmp_path: Path) -> None:
    (tmp_path / "stations.toml").write_text(
        """
[[stations]]
name = "vendor"
url = "https://api.bfl.ai"
speaks.flux.dialect = "flux.bfl"
keys = [{ env = "FLUX_KEY" }]
[[stations]]
name = "here"
url = "http://127.0.0.1:9"
speaks.flux.dialect = "flux.bfl"
keys = [{ env = "FLUX_KEY" }]
[[stations]]
name = "relay"
url = "https://relay.example"
speaks.flux.dialect = "flux.relay"
keys = [{ env = "FLUX_KEY" }]
"""
    )
    keyed = Genq(genq.folder, {**genq.settings, "FLUX_KEY": "sk-1"})
    findings = found(keyed("check", "--json"))
    ((level, message),) = findings["station vendor"]
    assert level == "ok"
    assert "the key is sent only to hosts of bfl.ai" in message
    assert "foreign_polling_host" in message
    ((_, message),) = findings["station here"]
    assert "the key is sent only to 127.0.0.1 and the port in its URL" in message
    assert "station relay" not in findings
