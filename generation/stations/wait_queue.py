"""
Lines: jobs that could be sent to the same keys, none of which has room, wait together.

A line is named after its keys: `direct/main relay/main`; after one key with `=` before it where the
jobs belong to that key for good; with `for openai/gpt-image-1` behind it where the model is what
holds them up, so that jobs of other models are not behind them. The name is all there is of a line,
so it can neither get lost nor out of step with the jobs that stand in it.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, unquote

from generation.job import Job
from generation.stations.binding import Binding
from generation.stations.key_health import Account, KeyName
from generation.stations.station import Stations

BELONGING = "="
#: No name of a key looks like it: each has a slash in it, and none a space.
SUBJECT = " for "


def line_of(job: Job, options: Iterable[Binding], subject: str | None = None) -> str:
    """The line of a job that could go to these; `subject` is the model that holds it up, if any."""
    names = sorted(f"{station}/{key}" for station, key in {option.lane for option in options})
    keys = BELONGING + names[0] if job.is_bound else " ".join(names)
    return f"{keys}{SUBJECT}{quote(subject, safe='/:.+@')}" if subject else keys


def keys_of(line: str) -> tuple[KeyName, ...]:
    """The keys a line waits for."""
    names = without_subject(line).removeprefix(BELONGING).split(" ")
    return tuple((station, key) for station, _, key in (name.partition("/") for name in names))


def held_subject(line: str) -> str | None:
    """The model that holds up this line's jobs, as `Block.subject`; None where it is the keys."""
    _, found, subject = line.partition(SUBJECT)
    return unquote(subject) if found else None


def without_subject(line: str) -> str:
    """The line in which these jobs would stand for the sake of their keys."""
    return line.partition(SUBJECT)[0]


def is_held(account: Account, line: str, now: datetime) -> bool:
    """Whether the model that this line is named after is still what this key is refused for."""
    subject = held_subject(line)
    return subject is not None and account.blocks.holds(subject, now)


def is_awaited(account: Account, waiting: Iterable[str], now: datetime) -> bool:
    """Whether anybody in these lines waits for this key to have room."""
    return any(
        account.name in keys_of(line) and not is_held(account, line, now) for line in waiting
    )


def lines(stations: Stations) -> frozenset[str]:
    """
    Every line there can be with these settings, without subjects. Whoever stands in another has to
    move.
    """
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
