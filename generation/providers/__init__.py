"""Every operation genq knows, in every dialect it speaks it. A new provider is one line here."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from generation.contract.operation import Operation
from generation.providers import flux, kling, luma, midjourney, openai, suno
from generation.providers.kit.balance import RELAY_BILLING, BalanceQuery

OPERATIONS: tuple[Operation[Any], ...] = (
    *midjourney.OPERATIONS,
    *kling.OPERATIONS,
    *luma.OPERATIONS,
    *suno.OPERATIONS,
    *flux.OPERATIONS,
    *openai.OPERATIONS,
)

#: What relays of the new-api kind speak: each answers for its own accounts, whatever it sells.
RELAY_DIALECTS: Mapping[str, str] = {
    "midjourney": "midjourney.station",
    "kling": "kling.relay",
    "luma": "luma.relay",
    "suno": "suno.newapi",
    "flux": "flux.relay",
    "openai": "openai.relay",
}
#: How to ask what is left in an account, by dialect.
BALANCES: Mapping[str, BalanceQuery] = {
    **dict.fromkeys((*RELAY_DIALECTS.values(), "kling.newapi"), RELAY_BILLING),
    **kling.BALANCES,
    **luma.BALANCES,
    **flux.BALANCES,
}

_BY_NAME: Mapping[tuple[str, str, str], Operation[Any]] = {
    (operation.provider, operation.name, operation.dialect): operation for operation in OPERATIONS
}


def find(provider: str, name: str, dialect: str) -> Operation[Any] | None:
    """The operation of that name in that dialect, or None where the dialect lacks it."""
    return _BY_NAME.get((provider, name, dialect))


def any_of(dialect: str) -> Operation[Any] | None:
    """An operation of this dialect."""
    return next((operation for operation in OPERATIONS if operation.dialect == dialect), None)


def dialects(provider: str, name: str) -> tuple[str, ...]:
    """The dialects that offer this operation, in the order of the registry."""
    return tuple(d for (p, n, d) in _BY_NAME if (p, n) == (provider, name))


def known_dialects() -> frozenset[str]:
    """Every dialect a station may be said to speak."""
    return frozenset(operation.dialect for operation in OPERATIONS)


def longest_submit(usual: timedelta) -> timedelta:
    """Return the longest time a submit may take; `usual` is the limit of those without one."""
    return max(usual, *(operation.submit_timeout or usual for operation in OPERATIONS))


def names(operations: Iterable[Operation[Any]] = OPERATIONS) -> tuple[str, ...]:
    """`provider.operation` of each, once, in the order of the registry."""
    return tuple(
        dict.fromkeys(f"{operation.provider}.{operation.name}" for operation in operations)
    )
