"""The example of every operation, for it is what callers try first."""

from typing import Any

import pytest

from generation import providers
from generation.contract.operation import Operation, Order


@pytest.mark.parametrize(
    "operation",
    [each for each in providers.OPERATIONS if not each.needs_parent],
    ids=lambda each: f"{each.dialect}:{each.name}",
)
def test_it_can_be_sent_as_it_is(operation: Operation[Any]) -> None:
    request = operation.request.model_validate(operation.example)
    assert operation.build_submit(request, Order("job_1")).path
