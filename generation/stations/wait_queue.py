"""Wait queues: jobs that could go to the same keys, none of which has a free slot, wait together.

A queue is named after its keys: `direct/main relay/main`. A `=` before a single key means that the
jobs belong to that key permanently. `for openai/gpt-image-1` at the end means that the model is
blocked, so that jobs of other models do not wait behind them. The name is the only record of a
queue, so it cannot be lost or become inconsistent with its jobs.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, unquote

from generation.job import Job
from generation.stations.binding import Binding
from generation.stations.key_health import KeyHealth, KeyName
from generation.stations.station import Stations

BELONGING = "="
#: No name of a key contains this: each has a slash in it, and no space.
SUBJECT = " for "


def wait_queue_of(job: Job, options: Iterable[Binding], subject: str | None = None) -> str:
    """Return the queue of a job that could go to these keys.

    `subject` is the blocked model, if any.
    """
    names = sorted(
        f"{station}/{key}" for station, key in {option.station_key for option in options}
    )
    keys = BELONGING + names[0] if job.is_bound else " ".join(names)
    return f"{keys}{SUBJECT}{quote(subject, safe='/:.+@')}" if subject else keys


def keys_of(line: str) -> tuple[KeyName, ...]:
    """Return the keys of a queue."""
    names = without_subject(line).removeprefix(BELONGING).split(" ")
    return tuple((station, key) for station, _, key in (name.partition("/") for name in names))


def held_subject(line: str) -> str | None:
    """Return the blocked model of this queue, as `Block.subject`; None if there is none."""
    _, found, subject = line.partition(SUBJECT)
    return unquote(subject) if found else None


def without_subject(line: str) -> str:
    """Return the queue in which these jobs would wait for their keys alone."""
    return line.partition(SUBJECT)[0]


def is_held(account: KeyHealth, line: str, now: datetime) -> bool:
    """Return whether the model of this queue is still blocked at this key."""
    subject = held_subject(line)
    return subject is not None and account.blocks.holds(subject, now)


def is_awaited(account: KeyHealth, waiting: Iterable[str], now: datetime) -> bool:
    """Return whether any of these queues waits for a slot of this key."""
    return any(
        account.name in keys_of(line) and not is_held(account, line, now) for line in waiting
    )


def lines(stations: Stations) -> frozenset[str]:
    """Return every queue that is possible with these settings, without subjects.

    Jobs in other queues have to move.
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
