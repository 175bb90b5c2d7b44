"""Luma: videos and pictures, through either of the vendor's APIs or through a relay.

`dream_machine`, `agents` and `relay` list the orders of each dialect, and the modules named after
them say what each may hold. `reply` reads every answer of all three, with `tasks` and `assets` for
the good news, and `complaints`, `faults` and `failures` for the bad.
"""

from collections.abc import Mapping
from typing import Any

from generation.contract.operation import Operation
from generation.providers.kit.balance import BalanceQuery
from generation.providers.luma import agents, dream_machine, relay
from generation.providers.luma.credits import Credits

OPERATIONS: tuple[Operation[Any], ...] = (
    *dream_machine.OPERATIONS,
    *agents.OPERATIONS,
    *relay.OPERATIONS,
)
BALANCES: Mapping[str, BalanceQuery] = {
    "luma.dream_machine": Credits(),
}
