"""An upstream's Retry-After is advice: it is followed up to a limit.

A look costs nothing, and a finished task that nobody looks at is lost at its deadline, so looks and
searches wait minutes at most. A submit that comes too early is refused and costs nothing either,
but stations may block an account that insists. Rate limits by the hour exist; whoever asks for more
than that is asked once an hour.
"""

from datetime import timedelta

from generation.contract.errors import Fault

LONGEST_LOOK_PAUSE = timedelta(minutes=5)
LONGEST_SUBMIT_PAUSE = timedelta(hours=1)


def look_pause(fault: Fault, otherwise: timedelta) -> timedelta:
    """The wait before the next look or search; `otherwise` where the upstream asked for none."""
    return min(fault.retry_after or otherwise, LONGEST_LOOK_PAUSE)


def submit_pause(fault: Fault, otherwise: timedelta) -> timedelta:
    """The wait before the next submit; `otherwise` where the upstream asked for none."""
    return min(fault.retry_after or otherwise, LONGEST_SUBMIT_PAUSE)
