"""
Where a job is bought: one operation, at one station, with one key, in one dialect.

A job is bound when it is first submitted, and stays so for life: looks, finds and cancels must go
to the account that holds the task.
"""

from dataclasses import dataclass
from typing import Any

from generation import providers
from generation.job import Job
from generation.operation import Operation, Pace
from generation.pace import faster
from generation.stations import Dialect, Key, Station, Stations


@dataclass(frozen=True, slots=True)
class Binding:
    """Everything a call needs to know of its other end."""

    station: Station
    key: Key
    dialect: Dialect
    operation: Operation[Any]

    @property
    def pace(self) -> Pace:
        return faster(self.operation.pace, self.station.speed)

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
    station = stations.get(job.station or "")
    if station is None:
        raise Unbound(f"station {job.station!r} is not in the settings; put it back to go on")
    key = station.key(job.key or "")
    if key is None:
        raise Unbound(
            f"station {station.name!r} has no key {job.key!r} any more; put it back to go on"
        )
    spoken = station.speaks.get(job.provider)
    operation = providers.find(job.provider, job.operation, job.dialect or "")
    if spoken is None or operation is None or spoken.dialect != job.dialect:
        raise Unbound(
            f"station {station.name!r} no longer speaks {job.dialect!r}; put it back to go on"
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
