"""Flux, by Black Forest Labs: pictures, edited pictures and videos.

`models` lists the orders and what each is called where it is sold, `pictures`, `edits` and `video`
say what each may hold, `operations` puts them on the wire of each dialect, and `reply` reads every
answer of the vendor and its resellers, with `complaints` and `faults` for the bad news and
`results` for the good.
"""

from collections.abc import Mapping

from generation.providers.flux.credits import Credits
from generation.providers.flux.operations import OPERATIONS as OPERATIONS
from generation.providers.kit.balance import BalanceQuery

BALANCES: Mapping[str, BalanceQuery] = {
    "flux.bfl": Credits(),
}
