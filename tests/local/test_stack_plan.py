"""The programs of a stack, their settings, and whose stations they may use."""

from pathlib import Path

import pytest

from generation.settings import Settings
from generation.stations.config_file import load_stations
from ops.cli.exit_codes import CliError
from ops.local.data_folder import DataFolder
from ops.local.planning import demo_data_folder, plan_demo, plan_up
from ops.local.stack_plan import SPEED, StackPlan, sandbox_stations
from ops.stack.broker import GivenBroker, LocalBroker

PAID = {"station_url": "https://relay.example", "station_key": "sk-paid"}


def settings(folder: Path, **values: object) -> Settings:
    return Settings.model_validate(
        {"data_dir": folder, "stations_file": folder / "stations.toml", **values}
    )


def plan(folder: Path, *, sandbox: bool, isolated: bool) -> StackPlan:
    data_folder = DataFolder(folder)
    return StackPlan(
        data_folder=data_folder,
        broker=GivenBroker("redis://broker:6379/0"),
        settings=Settings.model_construct(data_dir=data_folder.folder),
        api_port=1,
        flower_port=2,
        sandbox_port=3 if sandbox else None,
        isolated=isolated,
        genq=("python", "genq"),
    )


def test_programs_listen_on_loopback_and_webhooks_may_go_there(tmp_path: Path) -> None:
    environment = plan(tmp_path, sandbox=True, isolated=False).environment()
    assert environment["GENQ_API_HOST"] == environment["GENQ_FLOWER_HOST"] == "127.0.0.1"
    assert environment["GENQ_WEBHOOK_ALLOW_HTTP"] == "1"
    assert environment["GENQ_WEBHOOK_ALLOWED_NETWORKS"] == "127.0.0.0/8,::1/128"
    assert environment["GENQ_WEBHOOK_ALLOWED_PORTS"] == "any"


def test_a_sandbox_stack_does_not_get_the_operators_stations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = plan(tmp_path, sandbox=True, isolated=True)
    stack.data_folder.stations.write_text(sandbox_stations("http://127.0.0.1:3"))
    monkeypatch.chdir(tmp_path)
    for name, value in PAID.items():
        monkeypatch.setenv(f"GENQ_{name.upper()}", value)
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    found = list(load_stations(Settings(), stack.environment()))
    assert {station.url for station in found} == {"http://127.0.0.1:3"}
    assert {station.speed for station in found} == {SPEED}
    assert {name: each.dialect for one in found for name, each in one.speaks.items()} == {
        "midjourney": "midjourney.station",
        "kling": "kling.relay",
        "luma": "luma.relay",
        "suno": "suno.newapi",
        "flux": "flux.relay",
        "openai": "openai.relay",
    }


def test_a_stack_with_stations_changes_no_station_setting(tmp_path: Path) -> None:
    stack = plan(tmp_path, sandbox=False, isolated=False)
    assert stack.sandbox_program() is None
    assert not [name for name in stack.environment() if "STATION" in name]


def test_an_isolated_program_runs_away_from_the_operators_env_file(tmp_path: Path) -> None:
    free = plan(tmp_path, sandbox=True, isolated=False).api_program().argv
    isolated = plan(tmp_path, sandbox=True, isolated=True).api_program().argv
    assert list(free) == ["python", "genq", "api"]
    assert list(isolated[3:]) == [str(tmp_path), "python", "genq", "api"]


def test_a_given_broker_is_not_started(tmp_path: Path) -> None:
    assert plan(tmp_path, sandbox=True, isolated=True).broker_program() is None


def test_the_demo_shares_nothing_with_paid_stations(tmp_path: Path) -> None:
    paid = settings(
        tmp_path,
        database_url="postgresql+asyncpg://production/genq",
        redis_url="redis://production:6379/0",
        **PAID,
    )
    data_folder = demo_data_folder(paid)
    assert data_folder.folder == tmp_path / "demo"
    stack = plan_demo(data_folder, paid)
    assert stack.settings.store_url == f"sqlite+aiosqlite:///{tmp_path}/demo/genq.db"
    assert isinstance(stack.broker, LocalBroker)
    assert stack.sandbox_url


def test_without_stations_the_demo_uses_the_default_folder(tmp_path: Path) -> None:
    usual = settings(tmp_path)
    assert demo_data_folder(usual).folder == tmp_path
    assert plan_demo(DataFolder(tmp_path), usual).settings.store_url.endswith(f"{tmp_path}/genq.db")


def test_a_relative_database_path_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    relative = settings(tmp_path, database_url="sqlite:///mine.db")
    for stack in (
        plan_demo(DataFolder(tmp_path / "x"), relative),
        plan_up(DataFolder(tmp_path / "x"), relative),
    ):
        assert stack.environment()["GENQ_DATABASE_URL"] == (
            f"sqlite+aiosqlite:///{tmp_path}/mine.db"
        )


def test_up_uses_the_sandbox_only_without_stations(tmp_path: Path) -> None:
    assert plan_up(DataFolder(tmp_path), settings(tmp_path)).sandbox_url
    assert plan_up(DataFolder(tmp_path), settings(tmp_path, **PAID)).sandbox_url is None


def test_unusable_stations_stop_up_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "stations.toml").write_text("[[station]]\n")
    with pytest.raises(CliError, match=r"unknown entry 'station'; write \[\[stations\]\] tables"):
        plan_up(DataFolder(tmp_path), settings(tmp_path))


def test_an_unreachable_broker_is_reported(tmp_path: Path) -> None:
    away = settings(tmp_path, redis_url="redis://127.0.0.1:1/0")
    with pytest.raises(CliError, match="GENQ_REDIS_URL does not answer"):
        plan_up(DataFolder(tmp_path), away)


def test_a_data_folder_is_locked_by_one_stack(tmp_path: Path) -> None:
    with (
        DataFolder(tmp_path).locked(),
        pytest.raises(CliError, match=r"a stack runs in .* already"),
        DataFolder(tmp_path).locked(),
    ):
        pass
    with DataFolder(tmp_path).locked():
        assert (tmp_path / "lock").exists()
