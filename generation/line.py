"""
Lines: jobs that could be sent to the same keys, none of which has room, wait together.

A line is named after its keys: `direct/main relay/main`; after one key with `=` before it where the
jobs belong to that key for good. The name is all there is of a line, so it can neither get lost nor
out of step with the jobs that stand in it.
"""

from collections.abc import Iterable

from generation.account import KeyName
from generation.binding import Binding
from generation.job import Job
from generation.stations import Stations

BELONGING = "="


def line_of(job: Job, options: Iterable[Binding]) -> str:
    """The line of a job that could go to these."""
    names = sorted(f"{station}/{key}" for station, key in {option.lane for option in options})
    return BELONGING + names[0] if job.is_bound else " ".join(names)


def keys_of(line: str) -> tuple[KeyName, ...]:
    """The keys a line waits for."""
    names = line.removeprefix(BELONGING).split(" ")
    return tuple((station, key) for station, _, key in (name.partition("/") for name in names))


def lines(stations: Stations) -> frozenset[str]:
    """Every line there can be with these settings. Whoever stands in another has to move."""
    found = {
        f"{BELONGING}{station.name}/{key.name}" for station in stations for key in station.keys
    }
    for name in stations.offered():
        provider, operation = name.split(".", maxsplit=1)
        keys = {
            f"{station.name}/{key.name}"
            for station in stations.offering(provider, operation)
            for key in station.keys
        }
        found.add(" ".join(sorted(keys)))
    return frozenset(found)
