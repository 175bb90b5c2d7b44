"""
Whose turn it is: tenants take turns at a key, and each sends its own jobs by priority, then by age.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime


def by_turn(tenants: Sequence[str], last_served: Mapping[str, datetime]) -> list[str]:
    """Those who were never served first, then those who were served longest ago."""
    return sorted(
        tenants,
        key=lambda tenant: (
            tenant in last_served,
            last_served[tenant].timestamp() if tenant in last_served else 0.0,
            tenant,
        ),
    )


def in_turn(waiting: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """
    The next `count` of those who wait: one of each tenant, in the mapping's order, then a second of
    each, and so on. Each tenant's own come in their order.
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
    """
    The place in line, 1 being next, of a job with so many of its own tenant's ahead of it. `others`
    says how many each other tenant has waiting, `first` whose turn comes before this tenant's.
    """
    ahead = sum(
        min(waiting, own_ahead + first.get(tenant, False)) for tenant, waiting in others.items()
    )
    return own_ahead + ahead + 1
