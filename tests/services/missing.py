"""What a test does without its service: a laptop may lack one, the machine that judges may not."""

import os
from typing import NoReturn

import pytest


def miss(reason: Exception) -> NoReturn:
    """Skip the test with the reason, or fail it where the environment variable CI is set."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (with CI set, a missing service is a failure)", pytrace=False)
    pytest.skip(str(reason))
