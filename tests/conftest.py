"""What every test may use: real services, a closed network, and a check for what is left behind."""

import gc

from generation import garbage

pytest_plugins = [
    "tests.services.network",
    "tests.services.leaks",
    "tests.services.fixtures",
    "tests.deployment.fixtures",
]


def pytest_configure() -> None:
    """Thousands of tests are about to be collected, and all of them stay."""
    garbage.ease()


def pytest_collection_finish() -> None:
    gc.freeze()
