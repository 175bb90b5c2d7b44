"""The ledger counts charged submits, refused submits and polls. Its totals are always exact."""

from collections import Counter

#: Job references that are counted one by one; beyond them the oldest that were charged once are
#: dropped.
REFERENCES_KEPT = 1_000_000


class Ledger:
    """Counts since the start or the last reset. A reference is the caller's own id of a job."""

    def __init__(self) -> None:
        self.paid: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.references: dict[str, int] = {}
        self.paid_again = 0
        self.looks = 0
        self.batch_looks = 0
        self.list_looks = 0
        self.unknown_looks = 0

    def pay(self, provider: str, reference: str) -> None:
        """Count a submit that created a task."""
        self.paid[provider] += 1
        if not reference:
            return
        times = self.references.pop(reference, 0)
        self.paid_again += times > 0
        self.references[reference] = times + 1
        if len(self.references) > REFERENCES_KEPT:
            self._drop_oldest()

    def refuse(self, reason: str) -> None:
        """Count a submit that created no task."""
        self.refused[reason] += 1

    def totals(self) -> dict[str, object]:
        """Every count whose size does not grow with the number of jobs."""
        return {
            "paid_submits": self.paid.total(),
            "paid_by_provider": dict(self.paid),
            "paid_again": self.paid_again,
            "refused_submits": self.refused.total(),
            "refused_by_reason": dict(self.refused),
            "looks": self.looks,
            "batch_looks": self.batch_looks,
            "list_looks": self.list_looks,
            "unknown_looks": self.unknown_looks,
        }

    def _drop_oldest(self) -> None:
        once = (reference for reference, times in self.references.items() if times == 1)
        if (oldest := next(once, None)) is not None:
            del self.references[oldest]
