"""Where a job is bought: one operation, at one station, with one key, in one dialect.

A job is bound permanently once a submit may have arrived, because looks, searches and cancels must
go to the account that holds the task. Until then it may go to any key that offers the operation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random
from typing import Any

from generation import providers
from generation.contract.operation import Operation
from generation.job import Job
from generation.polling.pace import Pace
from generation.polling.schedule import faster
from generation.providers.kit.balance import BalanceQuery
from generation.stations.station import Dialect, Key, Station, Stations


@dataclass(frozen=True)
class Binding:
    """Everything a call needs to know about its destination."""

    station: Station
    key: Key
    dialect: Dialect
    operation: Operation[Any]

    @cached_property
    def pace(self) -> Pace:
        return faster(self.operation.pace, self.station.speed)

    @property
    def station_key(self) -> tuple[str, str]:
        """The unit of limits: one key of one station."""
        return self.station.name, self.key.name

    @property
    def batch_group(self) -> tuple[str, str, str]:
        """Tasks with equal groups may share one batch query."""
        return self.station.name, self.key.name, self.operation.batch_group


class BindingLost(LookupError):
    """The station or key of a bound job is not in the settings; says what to restore."""


def bind(stations: Stations, job: Job) -> Binding:
    """Return the binding that a submitted job carries. Raises `BindingLost`."""
    station_key = job.station or "", job.key or ""
    return bound(stations, station_key, job.provider, job.operation, job.dialect or "")


# Every look asks for its binding, and the settings limit how many there are.
@lru_cache(maxsize=4096)
def bound(
    stations: Stations, station_key: tuple[str, str], provider: str, name: str, dialect: str
) -> Binding:
    station_name, key_name = station_key
    station = stations.get(station_name)
    if station is None:
        raise BindingLost(f"station {station_name!r} is not in the settings; put it back to go on")
    key = station.key(key_name)
    if key is None:
        raise BindingLost(
            f"station {station.name!r} has no key {key_name!r} any more; put it back to go on"
        )
    spoken = station.speaks.get(provider)
    operation = providers.find(provider, name, dialect)
    if spoken is None or operation is None or spoken.dialect != dialect:
        raise BindingLost(
            f"station {station.name!r} no longer speaks {dialect!r}; put it back to go on"
        )
    return Binding(station, key, spoken, operation)


@lru_cache(maxsize=1024)
def balance_query_of(
    stations: Stations, name: tuple[str, str]
) -> tuple[Binding, BalanceQuery] | None:
    """Return how to ask for the balance of a key, through any dialect that supports it.

    None if the station has no such dialect.
    """
    station = stations.get(name[0])
    key = station.key(name[1]) if station else None
    if station is None or key is None:
        return None
    for spoken in station.speaks.values():
        query = providers.BALANCES.get(spoken.dialect)
        operation = providers.any_of(spoken.dialect)
        if query is not None and operation is not None:
            return Binding(station, key, spoken, operation), query
    return None


def candidates(stations: Stations, job: Job) -> tuple[Binding, ...]:
    """Return where a job may be submitted, the best first.

    Stations go by `order`, equal ones by `weight`, keys of a station in random order. A job that
    belongs to a key has that one, or none. The random order is the same for the same attempt of the
    same job.
    """
    if job.is_bound:
        station = stations.get(job.station or "")
        own = station.key(job.key or "") if station else None
        return at_keys(stations, job, station, (own,)) if station and own else ()
    offering = stations.offering(job.provider, job.operation)
    if len(offering) == 1 and len(offering[0].keys) == 1:
        return at_keys(stations, job, offering[0], offering[0].keys)
    lot = Random(f"{job.id} {job.attempts}")
    ordered = sorted(offering, key=lambda station: (station.order, -weighted_draw(station, lot)))
    return tuple(
        binding
        for station in ordered
        for binding in at_keys(stations, job, station, lot.sample(station.keys, len(station.keys)))
    )


def weighted_draw(station: Station, lot: Random) -> float:
    """Return a random number; each station has the largest with a chance by its weight."""
    return lot.random() ** (1 / station.weight)


def at_keys(
    stations: Stations, job: Job, station: Station, keys: Sequence[Key]
) -> tuple[Binding, ...]:
    """Return the bindings of a job at keys of one station; none without the operation."""
    spoken = station.speaks.get(job.provider)
    if spoken is None:
        return ()
    try:
        return tuple(
            bound(stations, (station.name, key.name), job.provider, job.operation, spoken.dialect)
            for key in keys
        )
    except BindingLost:
        return ()
