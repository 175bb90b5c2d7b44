"""Reads the stations from `stations.toml`, or from `GENQ_STATION_URL` and `GENQ_STATION_KEY`.

The file names environment variables, never keys.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from generation.providers import RELAY_DIALECTS
from generation.settings import Settings, environment
from generation.stations.station import Dialect, Key, Station, Stations


class StationsFileError(ValueError):
    """The stations file cannot be used; the message says where and what to change."""


def load_stations(settings: Settings, variables: Mapping[str, str] | None = None) -> Stations:
    """Return the stations of the settings, with their keys from `variables`.

    By default these are the variables of the process and of `.env`. Raises `StationsFileError` if
    the file or a key it names is missing or wrong. Without any station the result is an empty
    `Stations`.
    """
    if settings.station_url and settings.station_key:
        key = Key(
            name="main",
            value=settings.station_key,
            max_in_flight=settings.station_max_in_flight,
            submits_per_minute=settings.station_submits_per_minute,
        )
        return Stations((single_station(settings.station_url, key),))
    if not settings.stations_file.is_file():
        return Stations(())
    return read_stations(settings.stations_file, environment() if variables is None else variables)


def single_station(url: str, key: Key) -> Station:
    try:
        return Station(
            name="station",
            url=url,
            speaks={name: Dialect(dialect=spoken) for name, spoken in RELAY_DIALECTS.items()},
            keys=(key,),
        )
    except ValidationError as error:
        raise StationsFileError(f"GENQ_STATION_URL {first_complaint(error)}") from error


def read_stations(path: Path, variables: Mapping[str, str]) -> Stations:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StationsFileError(f"{path} cannot be read: {error}") from error
    tables: list[dict[str, Any]] = document.get("stations", [])
    if unknown := set(document) - {"stations"}:
        raise StationsFileError(
            f"{path}: unknown entry {sorted(unknown)[0]!r}; write [[stations]] tables"
        )
    stations = tuple(read_station(path, table, variables) for table in tables)
    if len({station.name for station in stations}) < len(stations):
        raise StationsFileError(f"{path}: two stations have the same name; name them apart")
    return Stations(stations)


def read_station(path: Path, table: Mapping[str, Any], variables: Mapping[str, str]) -> Station:
    name = table.get("name", "a station without a name")
    keys = [read_key(path, str(name), key, variables) for key in table.get("keys", [])]
    try:
        return Station.model_validate({**table, "keys": keys})
    except ValidationError as error:
        raise StationsFileError(f"{path}, {name}: {first_complaint(error)}") from error


def read_key(
    path: Path, station: str, table: Mapping[str, Any], variables: Mapping[str, str]
) -> dict[str, Any]:
    """Return the key's table with its environment variables resolved."""
    key = dict(table)
    for field, named_by in (("value", "env"), ("secret", "secret_env")):
        variable = key.pop(named_by, None)
        if variable is None:
            continue
        if not variables.get(variable):
            raise StationsFileError(
                f"{path}, {station}: the environment variable {variable} is not set; it should hold"
                f" the {named_by.removesuffix('env')}key {key.get('name', '')!r}".replace(
                    "_key", " key"
                )
            )
        key[field] = variables[variable]
    key.setdefault("name", "main")
    if "value" not in key:
        raise StationsFileError(f'{path}, {station}: each key needs env = "NAME_OF_A_VARIABLE"')
    return key


def first_complaint(error: ValidationError) -> str:
    """Return the first error with its place, as text."""
    complaint = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in complaint["loc"])
    return f"{place}: {complaint['msg'].removeprefix('Value error, ')}".removeprefix(": ")
