"""Finds `GENQ_` variables that nothing reads.

A misspelt setting would silently keep its default, and a wrong `GENQ_DATABASE_URL` would mean
another database.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from generation.settings import Settings, environment

PREFIX = "GENQ_"
#: The sandbox station has settings of its own, and refuses unknown ones itself.
SANDBOX_PREFIX = "GENQ_SANDBOX_"
#: Read by the command line and by docker-compose.yml, and not by `Settings`.
OTHER_NAMES = frozenset(
    {
        "GENQ_URL",
        "GENQ_KEY",
        "GENQ_FLOWER_URL_PREFIX",
        "GENQ_FLOWER_PUBLISH",
        "GENQ_API_PUBLISH",
        "GENQ_POSTGRES_PASSWORD",
        "GENQ_REDIS_PASSWORD",
    }
)
#: The similarity that a suggested name must have, from 0 to 1.
LIKENESS = 0.75


def unknown_settings(
    settings: Settings, variables: Mapping[str, str] | None = None
) -> Sequence[str]:
    """Return one sentence for each `GENQ_` variable of the process or of `.env` that nothing reads.

    Values are not shown. Variables that the stations file names for keys are known.
    """
    given = environment() if variables is None else variables
    known = known_settings() | OTHER_NAMES | set(key_variables(settings.stations_file))
    words = f"and {settings.stations_file} names no key by it; remove it"
    return [
        complaint(name, known, words)
        for name in unknown_names(given, PREFIX, known)
        if not name.upper().startswith(SANDBOX_PREFIX)
    ]


def unknown_sandbox_settings(
    fields: Collection[str], variables: Mapping[str, str]
) -> Sequence[str]:
    """The same for the settings of the sandbox station, without their prefix."""
    known = {f"{SANDBOX_PREFIX}{field}".upper() for field in fields}
    names = unknown_names(variables, SANDBOX_PREFIX, known)
    return [complaint(name, known, "so remove it") for name in names]


def unknown_names(given: Collection[str], prefix: str, known: Collection[str]) -> Sequence[str]:
    """Return the unknown names. Settings ignore case; the variable of a station's key does not."""
    return sorted(
        name
        for name in given
        if name.upper().startswith(prefix) and name.upper() not in known and name not in known
    )


def known_settings() -> set[str]:
    return {f"{PREFIX}{field}".upper() for field in Settings.model_fields}


def complaint(name: str, known: Collection[str], otherwise: str) -> str:
    alike = get_close_matches(name.upper(), known, n=1, cutoff=LIKENESS)
    advice = f"; did you mean {alike[0]}?" if alike else f", {otherwise}"
    return f"{name}: there is no such setting{advice}"


def key_variables(stations_file: Path) -> Iterator[str]:
    """Yield the variables that the stations file names; none if the file cannot be read."""
    try:
        document: Mapping[str, Any] = tomllib.loads(stations_file.read_text(encoding="utf-8"))
        for station in document.get("stations", []):
            for key in station.get("keys", []):
                yield from (
                    str(key[named_by]) for named_by in ("env", "secret_env") if named_by in key
                )
    except (OSError, ValueError, AttributeError, TypeError):
        return  # whoever loads the stations says what is wrong with the file
