"""Fair order of waiting jobs.

Tenants take turns at a key; within a tenant jobs go by priority, then by age.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime


def by_turn(tenants: Sequence[str], last_served: Mapping[str, datetime]) -> list[str]:
    """Return tenants that were never served first, then those served longest ago."""
    return sorted(
        tenants,
        key=lambda tenant: (
            tenant in last_served,
            last_served[tenant].timestamp() if tenant in last_served else 0.0,
            tenant,
        ),
    )


def in_turn(waiting: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """Return the next `count` waiting jobs, tenant by tenant.

    One of each tenant, in the mapping's order, then a second of each, and so on. The jobs of a
    tenant keep their order.
    """
    rounds = deque(deque(own) for own in waiting.values() if own)
    chosen: list[str] = []
    while rounds and len(chosen) < count:
        own = rounds.popleft()
        chosen.append(own.popleft())
        if own:
            rounds.append(own)
    return chosen


def place(own_ahead: int, others: Mapping[str, int], first: Mapping[str, bool]) -> int:
    """Return the position, 1 being next, of a job with `ahead` jobs of its own tenant before it.

    `others` is the number of waiting jobs of each other tenant, `first` the tenants whose turn
    comes before this one's.
    """
    ahead = sum(
        min(waiting, own_ahead + first.get(tenant, False)) for tenant, waiting in others.items()
    )
    return own_ahead + ahead + 1
