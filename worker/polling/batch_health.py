"""Which batch queries work.

A station may lack them, or answer them in an unknown form; its tasks are then looked at one by one
for a while.
"""

from collections import Counter
from datetime import datetime, timedelta

from generation.contract.errors import AccountBlocked, Fault, Rejected, Throttled, UnrecognizedReply

#: A batch query that does not work is tried again after this time.
SINGLY_FOR = timedelta(minutes=10)
#: Consecutive failures with possibly passing causes that mean that it does not work.
MOST_FAILURES = 3

#: Station, key, and the kind of batch.
Group = tuple[str, str, str]


class BatchHealth:
    """What this process knows of batch queries."""

    def __init__(self) -> None:
        self._singly_until: dict[Group, datetime] = {}
        self._failures: Counter[Group] = Counter()

    def usable(self, group: Group, now: datetime) -> bool:
        until = self._singly_until.get(group)
        return until is None or until <= now

    def worked(self, group: Group) -> None:
        self._failures.pop(group, None)

    def shows_nothing(self, group: Group, now: datetime) -> None:
        """Record an answer about none of the tasks: the query is not used for a while."""
        self._singly_until[group] = now + SINGLY_FOR

    def failed(self, group: Group, fault: Fault, now: datetime) -> bool:
        """Record a failure.

        Returns True if the batch query is not used for a while because of it.
        """
        if isinstance(fault, Throttled | AccountBlocked):
            return False
        self._failures[group] += 1
        refused = isinstance(fault, Rejected | UnrecognizedReply)
        if not refused and self._failures[group] < MOST_FAILURES:
            return False
        self._failures.pop(group)
        self._singly_until[group] = now + SINGLY_FOR
        return True
