"""
Which secrets sign: the current one, and for a while after a rotation those before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SECRET_OVERLAP = timedelta(hours=24)
MAX_SECRET_OVERLAP = timedelta(days=7)
#: The oldest beyond these is let go of at a rotation.
MOST_OLD = 10


@dataclass(frozen=True, slots=True)
class OldSecret:
    """A secret that was replaced and still signs, beside its successor, until `until`."""

    secret: str = field(repr=False)
    until: datetime


def signing_secrets(current: str, old: Sequence[OldSecret], now: datetime) -> tuple[str, ...]:
    """The secrets to sign with now, the newest first."""
    return (current, *(each.secret for each in old if each.until > now))


def rotated_secrets(
    current: str, old: Sequence[OldSecret], now: datetime, overlap: timedelta
) -> tuple[OldSecret, ...]:
    """
    The old secrets once `current` has been replaced, the youngest first. No overlap means that it
    signs nothing any more; nor do then those before it.
    """
    if overlap <= timedelta():
        return ()
    kept = [each for each in old if each.until > now]
    return (OldSecret(current, now + overlap), *kept)[:MOST_OLD]
