"""The secrets that sign: the current one, and the earlier ones for a while after a rotation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SECRET_OVERLAP = timedelta(hours=24)
MAX_SECRET_OVERLAP = timedelta(days=7)
#: Earlier secrets that are kept at a rotation, the newest first.
MAX_OLD_SECRETS = 10


@dataclass(frozen=True, slots=True)
class OldSecret:
    """A replaced secret that still signs, besides its successors, until `until`."""

    secret: str = field(repr=False)
    until: datetime


def signing_secrets(current: str, old: Sequence[OldSecret], now: datetime) -> tuple[str, ...]:
    """Return the secrets to sign with now, the newest first."""
    return (current, *(each.secret for each in old if each.until > now))


def rotated_secrets(
    current: str, old: Sequence[OldSecret], now: datetime, overlap: timedelta
) -> tuple[OldSecret, ...]:
    """Return the old secrets after `current` was replaced, the newest first.

    Without overlap, neither `current` nor those before it sign any more.
    """
    if overlap <= timedelta():
        return ()
    kept = [each for each in old if each.until > now]
    return (OldSecret(current, now + overlap), *kept)[:MAX_OLD_SECRETS]
