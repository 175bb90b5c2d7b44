"""What every test may use: real services, a closed network, and a check for what is left behind."""

import gc
import signal

from hypothesis import HealthCheck, settings

from generation import gc_tuning as garbage

pytest_plugins = [
    "tests.services.network",
    "tests.services.leaks",
    "tests.services.plans",
    "tests.services.planning",
    "tests.services.fixtures",
    "tests.deployment.fixtures",
]


#: How quickly an example is made and passes says something of the machine, and nothing of genq.
settings.register_profile(
    "patient",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def pytest_configure() -> None:
    """Thousands of tests are about to be collected, and all of them stay."""
    garbage.ease()
    settings.load_profile("patient")
    # A shell starts background jobs with SIGINT ignored, and every process below would inherit it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    gc.freeze()
