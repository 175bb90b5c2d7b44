"""A genq that most of these tests share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.sandbox.config import SandboxConfig
from ops.sandbox.handle import running_sandbox
from ops.stack.broker import BrokerProcess
from ops.stack.child_reaper import ChildReaper
from tests.deployment.deployment import Deployment, deployed
from tests.deployment.fixtures import DURATIONS, SPEED
from tests.deployment.receiver import running_receiver
from tests.services.fixtures import database_of
from tests.services.migrations import sqlite_url_of


@pytest.fixture(scope="package")
def genq(
    reaper: ChildReaper,
    shared_broker: BrokerProcess,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """
    A deployment on SQLite with an API and one worker running, for these tests together: each
    asks about its own jobs. It has a database of the broker for itself.
    """
    folder = tmp_path_factory.mktemp("genq")
    file = folder / "genq.db"
    shutil.copy(sqlite_template, file)
    broker_url = database_of(shared_broker, 1)
    with (
        running_sandbox(SandboxConfig(speed=SPEED, durations=DURATIONS)) as sandbox,
        running_receiver() as receiver,
        deployed(
            Deployment(folder, reaper, sandbox, receiver, sqlite_url_of(file), broker_url, 100)
        ) as deployment,
    ):
        deployment.start_api()
        deployment.start_worker()
        yield deployment
