"""What is left of an account: told as genq asks for it, in every dialect that can be asked."""

from collections.abc import Mapping

import httpx
import pytest

from generation.contract.reply import Reply
from generation.providers import BALANCES
from generation.stations.station import Dialect
from ops.sandbox.handle import SandboxHandle
from tests.unit.jobs import NOON

BEARER = {"authorization": "Bearer sk-1"}


@pytest.mark.parametrize(
    ("dialect", "headers"),
    [(name, BEARER if name != "flux.bfl" else {"x-key": "sk-1"}) for name in BALANCES],
)
def test_a_balance_is_what_is_left(
    sandbox: SandboxHandle, client: httpx.Client, dialect: str, headers: Mapping[str, str]
) -> None:
    query, spoken = BALANCES[dialect], Dialect(dialect=dialect)

    def left() -> float:
        answers = [
            client.request(
                call.method,
                call.path if call.rooted else spoken.path(call.path, submit=False),
                params=dict(call.params),
                headers=dict(headers),
            )
            for call in query.build(NOON)
        ]
        return query.parse([Reply(each.status_code, each.content) for each in answers]).left

    assert left() == 75
    sandbox.configure(no_credit_keys=["sk-1"])
    assert left() == 0
