"""Kling: videos, pictures and sounds.

`requests` says what each order may hold and `endpoints` what the vendor's first API makes of it;
`v1`, `v2` and `newapi` are the ways of speaking, which `operations` puts together. `reply` reads
every answer of the vendor and of the stations that resell it, with `complaints` and `faults` for
the bad news and `results`, `answers` and `library` for the good. `parents` knows what follow-ups
need of the job they follow.
"""

from collections.abc import Mapping

from generation.providers.kit.balance import BalanceQuery
from generation.providers.kling.costs import Costs
from generation.providers.kling.operations import OPERATIONS as OPERATIONS

BALANCES: Mapping[str, BalanceQuery] = {
    "kling.v1": Costs(),
    "kling.v2": Costs(),
}
