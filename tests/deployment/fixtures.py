"""
A whole genq as a pytest fixture; tests/conftest.py loads this module as a plugin.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ops.sandbox.config import SandboxConfig
from ops.sandbox.handle import SandboxHandle, running_sandbox
from ops.stack.child_reaper import ChildReaper
from tests.deployment.deployment import Deployment, deployed
from tests.deployment.receiver import Receiver, running_receiver

#: Sandbox seconds a second; a Midjourney job ends after two seconds, a Kling job after three.
SPEED = 20
DURATIONS = {"midjourney.imagine": 40.0, "kling.text2video": 60.0}

Deploy = Callable[..., Deployment]


@pytest.fixture
def sandbox() -> Iterator[SandboxHandle]:
    """A sandbox station with a quick clock."""
    with running_sandbox(SandboxConfig(speed=SPEED, durations=DURATIONS)) as handle:
        yield handle


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver that answers 200 unless told otherwise."""
    with running_receiver() as running:
        yield running


@pytest.fixture
def deploy(
    tmp_path: Path, reaper: ChildReaper, sandbox: SandboxHandle, receiver: Receiver
) -> Iterator[Deploy]:
    """Makes a deployment on a store and a broker; nothing of it is started yet."""
    with ExitStack() as stack:

        def make(store_url: str, redis_url: str, **settings: str) -> Deployment:
            deployment = Deployment(
                tmp_path, reaper, sandbox, receiver, store_url, redis_url, 100, settings
            )
            return stack.enter_context(deployed(deployment))

        yield make
