"""
How long tasks take, and how often it is worth looking.
"""

from dataclasses import dataclass
from datetime import timedelta

from generation.polling.duration_histogram import Sketch


@dataclass(frozen=True, slots=True)
class Durations:
    """How long a task of this operation usually takes, from submit to its end."""

    early: timedelta  # one in ten is done by now
    typical: timedelta  # half are done
    late: timedelta  # nine in ten are done


@dataclass(frozen=True, slots=True)
class Pace:
    """How often it is worth looking, and when to give up."""

    durations: Durations
    #: The upstream refreshes its own books no faster than this.
    floor: timedelta = timedelta(seconds=2)
    ceiling: timedelta = timedelta(seconds=30)
    #: A job still running after this is told `expired`.
    deadline: timedelta = timedelta(hours=1)
    #: One look weighs as much as this long of a finished task that nobody knows of.
    look_cost: timedelta = timedelta(seconds=0.25)
    #: How long such tasks have really taken here; None where nobody has looked that up.
    seen: Sketch | None = None
