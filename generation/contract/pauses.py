"""Retry-After of an upstream is advice that is followed up to a limit.

A look costs nothing, and a finished task that nobody looks at is lost at its deadline, so looks and
searches wait minutes at most. A submit that comes too early is refused at no cost, but stations may
block an account that insists. Hourly rate limits exist; a station that asks for more is asked once
an hour.
"""

from datetime import timedelta

from generation.contract.errors import Fault

LONGEST_LOOK_PAUSE = timedelta(minutes=5)
LONGEST_SUBMIT_PAUSE = timedelta(hours=1)


def look_pause(fault: Fault, otherwise: timedelta) -> timedelta:
    """Return the wait before the next look or search; `otherwise` if none was asked for."""
    return min(fault.retry_after or otherwise, LONGEST_LOOK_PAUSE)


def submit_pause(fault: Fault, otherwise: timedelta) -> timedelta:
    """Return the wait before the next submit; `otherwise` if none was asked for."""
    return min(fault.retry_after or otherwise, LONGEST_SUBMIT_PAUSE)
