"""A running genq in its own processes, started once; a console script per test."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.stack.broker import BrokerProcess
from ops.stack.child_reaper import ChildReaper
from ops.stack.ports import free_port
from tests.cli.script import Genq, status_of
from tests.services.fixtures import database_of
from tests.services.listeners import listeners

KEY = "genq_key-of-the-command-line-tests"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#: A video takes some five minutes; here, two seconds.
SPEED = 150

STATIONS = """
[[stations]]
name = "toys"
url = "http://127.0.0.1:{port}"
speed = {speed}
[stations.speaks]
kling = {{ dialect = "kling.relay" }}
midjourney = {{ dialect = "midjourney.station" }}
[[stations.keys]]
env = "TOYS_KEY"
"""


@dataclass(frozen=True)
class Deployment:
    """A running genq."""

    #: A caller's command line, with URL and key in its environment.
    caller: Genq
    #: The operator's, with the settings the processes have.
    operator: Genq
    api_url: str
    flower_url: str
    station_url: str


@pytest.fixture
def genq(tmp_path: Path) -> Genq:
    """The console script in an empty folder, with no settings."""
    return Genq(tmp_path, {})


@pytest.fixture(scope="package")
def deployment(
    reaper: ChildReaper, shared_broker: BrokerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Sandbox station, API, worker and Flower on one SQLite file."""
    folder = tmp_path_factory.mktemp("deployment")
    api, flower, station = free_port(), free_port(), free_port()
    (folder / "stations.toml").write_text(STATIONS.format(port=station, speed=SPEED))
    operator = Genq(folder, {"TOYS_KEY": "a-key-of-toys"}).having(
        redis_url=database_of(shared_broker, 4),
        api_port=str(api),
        api_key=KEY,
        webhook_secret=SECRET,
        flower_port=str(flower),
        flower_basic_auth="watcher:by:night",
    )
    migrated = operator("migrate")
    assert migrated.code == 0, migrated.err
    found = Deployment(
        caller=Genq(tmp_path_factory.mktemp("caller"), {}).having(
            url=f"http://127.0.0.1:{api}", key=KEY
        ),
        operator=operator,
        api_url=f"http://127.0.0.1:{api}",
        flower_url=f"http://127.0.0.1:{flower}",
        station_url=f"http://127.0.0.1:{station}",
    )
    before = listeners(shared_broker.url)
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(operator.running(reaper, name, *options))
            for name, *options in (
                ("sandbox", "--port", str(station), "--speed", str(SPEED)),
                ("api",),
                ("worker",),
                ("flower",),
            )
        }
        for name, condition in (
            ("sandbox", lambda: status_of(found.station_url)),
            ("api", lambda: status_of(f"{found.api_url}/healthz") == 200),
            ("worker", lambda: list(folder.glob("genq-worker-*.alive"))),
            ("flower", lambda: status_of(f"{found.flower_url}/healthcheck") == 200),
            # To events; and the worker to remote control.
            ("flower", lambda: listeners(shared_broker.url) >= before + 2),
        ):
            processes[name].until(condition, f"genq {name} to be ready")
        yield found
        for running in processes.values():
            running.process.terminate()
