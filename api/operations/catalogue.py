"""All operations of this version of genq, and which of them this deployment offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.http.problem_types import NO_STATION, UNSUPPORTED
from api.http.problems import Complaint, Problem, invalid
from api.http.validation_errors import no_such, no_such_operation
from generation import providers
from generation.contract.operation import Operation
from generation.polling.pace import Pace
from generation.polling.schedule import faster
from generation.stations.station import ExtraFields, Stations


@dataclass(frozen=True, slots=True)
class Offer:
    """An operation that this deployment offers, in the dialect of its first station."""

    operation: Operation[Any]
    #: Names of the stations that offer it, first choice first.
    stations: tuple[str, ...]
    #: The deadline of jobs without one, from their creation.
    deadline: timedelta
    #: When its tasks are polled.
    pace: Pace
    #: Whether a station accepts input fields that genq does not know.
    takes_extra_fields: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of the catalogue, offered or not."""

    operation: Operation[Any]
    dialects: tuple[str, ...]
    offer: Offer | None

    def document(self) -> dict[str, Any]:
        """Return the operation as JSON values."""
        operation = self.operation
        return {
            "object": "operation",
            "provider": operation.provider,
            "name": operation.name,
            "summary": operation.summary,
            "dialects": list(self.dialects),
            "offered": self.offer is not None,
            "stations": list(self.offer.stations) if self.offer else [],
            "example": dict(operation.example),
            "input_schema": operation.request.model_json_schema(),
        }


class Catalogue:
    """All operations by provider and name. They do not change while the process runs."""

    def __init__(self, stations: Stations) -> None:
        self._has_stations = len(stations) > 0
        self._entries: Mapping[tuple[str, str], Entry] = {
            (provider, name): entry_of(stations, provider, name)
            for provider, name in (full.split(".", maxsplit=1) for full in providers.names())
        }

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries.values())

    @property
    def offered(self) -> tuple[str, ...]:
        """Return `provider.operation` of all operations that are offered."""
        return tuple(f"{p}.{n}" for (p, n), entry in self._entries.items() if entry.offer)

    def find(self, provider: str, name: str) -> Entry | None:
        return self._entries.get((provider, name))

    def offer(self, provider: str, name: str) -> Offer:
        """Return the offer of an operation.

        Raises `Problem`: `invalid_request` for an unknown operation, `no_station` or `unsupported`
        for one that no station offers.
        """
        entry = self._entries.get((provider, name))
        if entry is None:
            raise invalid([self._unknown(provider, name)])
        if entry.offer is None:
            raise self._not_offered(provider, name)
        return entry.offer

    def _unknown(self, provider: str, name: str) -> Complaint:
        names = sorted(n for p, n in self._entries if p == provider)
        if names:
            text = no_such_operation(provider, name, names)
            return Complaint("#/operation", text, "unknown_operation")
        text = no_such("such provider", provider, sorted({p for p, _ in self._entries}))
        return Complaint("#/provider", text, "unknown_provider")

    def _not_offered(self, provider: str, name: str) -> Problem:
        if not self._has_stations:
            return Problem(
                NO_STATION,
                "this deployment has no station yet, so no job can be submitted; its"
                " operator sets GENQ_STATION_URL and GENQ_STATION_KEY, or writes a stations.toml",
            )
        if retired := self._entries[provider, name].operation.retired:
            text = f"{provider}.{name} is not available here: {retired}"
            return invalid([Complaint("#/operation", text, "unsupported")], UNSUPPORTED)
        text = f"no station here offers {provider}.{name}; {self._offered_instead(provider)}"
        return invalid([Complaint("#/operation", text, "unsupported")], UNSUPPORTED)

    def _offered_instead(self, provider: str) -> str:
        """Name the offered operations of this provider, or else the providers that have any."""
        offered = [full.split(".", maxsplit=1) for full in self.offered]
        if own := [name for known, name in offered if known == provider]:
            return f"of {provider}, this deployment offers {', '.join(own)}"
        others = ", ".join(sorted({known for known, _ in offered}))
        return (
            f"this deployment offers nothing of {provider}, but operations of {others}: see"
            " GET /v1/operations"
            if others
            else "this deployment offers nothing that this version of genq knows"
        )


def entry_of(stations: Stations, provider: str, name: str) -> Entry:
    dialects = providers.dialects(provider, name)
    offer = offer_of(stations, provider, name)
    known = providers.find(provider, name, dialects[0])
    assert known is not None, "the registry has every operation in the dialects it lists for it"
    return Entry(offer.operation if offer else known, dialects, offer)


def offer_of(stations: Stations, provider: str, name: str) -> Offer | None:
    selling = stations.offering(provider, name)
    if not selling:
        return None
    first = selling[0]
    operation = providers.find(provider, name, first.speaks[provider].dialect)
    assert operation is not None, "a station offers only what its dialect has"
    return Offer(
        operation=operation,
        stations=tuple(station.name for station in selling),
        deadline=operation.pace.deadline,
        pace=faster(operation.pace, first.speed),
        takes_extra_fields=any(
            station.speaks[provider].extra_fields is ExtraFields.PASS for station in selling
        ),
    )


def _example() -> dict[str, Any]:
    """Return an offered operation, for the OpenAPI document.

    Its schema has no `$ref`: tools would look for its target in the whole document.
    """
    entry = entry_of(Stations(()), "suno", "lyrics")
    return entry.document() | {"offered": True, "stations": ["relay"]}


EXAMPLE = _example()
