"""
Where a job is bought: one operation, at one station, with one key, in one dialect.

A job is bound when it is first submitted, and stays so for life: looks, finds and cancels must go
to the account that holds the task.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from generation import providers
from generation.job import Job
from generation.operation import Operation, Pace
from generation.pace import faster
from generation.stations import Dialect, Key, Station, Stations


@dataclass(frozen=True)
class Binding:
    """Everything a call needs to know of its other end."""

    station: Station
    key: Key
    dialect: Dialect
    operation: Operation[Any]

    @cached_property
    def pace(self) -> Pace:
        return faster(self.operation.pace, self.station.speed)

    @property
    def lane(self) -> tuple[str, str]:
        """What shares limits: one key of one station."""
        return self.station.name, self.key.name

    @property
    def batch_group(self) -> tuple[str, str, str]:
        """Tasks of equal groups may share one batch query."""
        return self.station.name, self.key.name, self.operation.batch_group


class Unbound(LookupError):
    """
    The station or key a job was bound to is not in the settings any more; says what to restore.
    """


def bind(stations: Stations, job: Job) -> Binding:
    """The binding a submitted job carries. Raises `Unbound`."""
    lane = job.station or "", job.key or ""
    return bound(stations, lane, job.provider, job.operation, job.dialect or "")


# Every look asks for its binding, and there are no more of them than the settings allow.
@lru_cache(maxsize=4096)
def bound(
    stations: Stations, lane: tuple[str, str], provider: str, name: str, dialect: str
) -> Binding:
    station_name, key_name = lane
    station = stations.get(station_name)
    if station is None:
        raise Unbound(f"station {station_name!r} is not in the settings; put it back to go on")
    key = station.key(key_name)
    if key is None:
        raise Unbound(
            f"station {station.name!r} has no key {key_name!r} any more; put it back to go on"
        )
    spoken = station.speaks.get(provider)
    operation = providers.find(provider, name, dialect)
    if spoken is None or operation is None or spoken.dialect != dialect:
        raise Unbound(
            f"station {station.name!r} no longer speaks {dialect!r}; put it back to go on"
        )
    return Binding(station, key, spoken, operation)


def choose(stations: Stations, job: Job) -> Binding | None:
    """
    Where to submit a job: where its parent is, or where it was sent before, else the first station
    that offers it. None where none does.
    """
    if job.parent_id is not None:
        return beside_parent(stations, job)
    offering = stations.offering(job.provider, job.operation)
    for station in sorted(offering, key=lambda station: station.name != job.station):
        spoken = station.speaks[job.provider]
        operation = providers.find(job.provider, job.operation, spoken.dialect)
        key = station.key(job.key or "") or station.keys[job.attempts % len(station.keys)]
        if operation is not None:
            return Binding(station, key, spoken, operation)
    return None


def beside_parent(stations: Stations, job: Job) -> Binding | None:
    """A follow-up is bought with the key that holds its parent, or not at all."""
    station = stations.get(job.station or "")
    key = station.key(job.key or "") if station else None
    spoken = station.speaks.get(job.provider) if station else None
    operation = providers.find(job.provider, job.operation, spoken.dialect) if spoken else None
    if station is None or key is None or spoken is None or operation is None:
        return None
    return Binding(station, key, spoken, operation)
