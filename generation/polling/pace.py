"""How long tasks take, and how often to look."""

from dataclasses import dataclass
from datetime import timedelta

from generation.polling.duration_histogram import DurationHistogram


@dataclass(frozen=True, slots=True)
class UsualDurations:
    """The usual time from submit to end of a task."""

    early: timedelta  # one in ten is done by now
    typical: timedelta  # half are done
    late: timedelta  # nine in ten are done


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look at a task, and when to give up."""

    durations: UsualDurations
    #: The upstream refreshes its records no faster than this.
    floor: timedelta = timedelta(seconds=2)
    ceiling: timedelta = timedelta(seconds=30)
    #: A job that runs longer becomes `expired`.
    deadline: timedelta = timedelta(hours=1)
    #: One look costs as much as this time during which a finished task is not noticed.
    look_cost: timedelta = timedelta(seconds=0.25)
    #: Measured durations of such tasks; None if they were not looked up.
    seen: DurationHistogram | None = None
