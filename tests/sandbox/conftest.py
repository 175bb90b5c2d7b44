"""One station for all these tests, fresh for each; its clock stands still until a test moves it."""

from collections.abc import Generator

import httpx
import pytest

from ops.sandbox.config import SandboxConfig
from ops.sandbox.handle import SandboxHandle, running_sandbox


@pytest.fixture(scope="session")
def running() -> Generator[SandboxHandle]:
    with running_sandbox(SandboxConfig(speed=0)) as handle:
        yield handle


@pytest.fixture
def sandbox(running: SandboxHandle) -> SandboxHandle:
    """The station without a memory, on the settings it was started with."""
    running.reset()
    return running


@pytest.fixture(scope="session")
def connected(running: SandboxHandle) -> Generator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def client(sandbox: SandboxHandle, connected: httpx.Client) -> httpx.Client:
    """Asks that fresh station, and keeps its connections from test to test."""
    del sandbox  # only its freshness is needed
    return connected
