"""Endpoints for tests."""

from itertools import count
from typing import Any

from generation.webhooks.endpoint import RegisteredEndpoint
from tests.unit.jobs import NOON

_numbers = count(1)


def an_endpoint(**changes: Any) -> RegisteredEndpoint:
    """An enabled endpoint of the tenant of `a_job`."""
    known: dict[str, Any] = {
        "id": f"whe_{next(_numbers):026d}",
        "tenant": "acme",
        "url": "https://hooks.example.com/genq",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return RegisteredEndpoint(**(known | changes))
