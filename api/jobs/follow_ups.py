"""
Orders that follow a job: which job, which operation, and whether it can be done at all. Checked
here, for what is refused after it was sent may have been paid for.
"""

from typing import Any

from pydantic import ValidationError

from api.http.problem_types import UNSUPPORTED
from api.http.problems import Complaint, invalid
from api.http.validation_errors import complaints
from generation import providers
from generation.contract.errors import Fault
from generation.contract.operation import Operation, Order
from generation.contract.request import split
from generation.job import Job
from generation.parent import parent_of
from generation.stations.station import Stations

#: What an order of an `action` and nothing else is an order of.
ACTION = "action"


class Followups:
    """Knows what can follow what. Touches no socket and no store."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    def operation(self, parent: Job, name: str) -> Operation[Any]:
        """
        The operation that follows `parent`, as the station speaks that holds it. Raises `Problem`
        where there is none, or where it cannot follow this job.
        """
        station = self._stations.get(parent.station or "")
        spoken = station.speaks.get(parent.provider) if station else None
        if spoken is None:
            words = f"the station of {parent.id}, {parent.station}, is not in use any more"
            raise invalid([Complaint("#/parent", words, "unsupported")], UNSUPPORTED)
        operation = providers.find(parent.provider, name, spoken.dialect)
        if operation is None or not operation.follows:
            offered = ", ".join(self._followers(parent, spoken.dialect)) or "nothing"
            words = f"{parent.provider}.{parent.operation} can be followed by {offered} there"
            raise invalid([Complaint("#/operation", words, "unsupported")], UNSUPPORTED)
        if parent.operation not in operation.follows:
            known = ", ".join(sorted(operation.follows))
            words = f"{name} follows {known}; {parent.id} is {parent.operation}"
            raise invalid([Complaint("#/parent", words, "parent")])
        return operation

    def check(self, operation: Operation[Any], request: dict[str, Any], parent: Job | None) -> None:
        """
        Raises `Problem` where the call cannot be built, from this parent or without one: an unknown
        button, nothing to extend, a field that the station's dialect has no place for.
        """
        try:
            order = Order("job_dry", parent=parent_of(parent) if parent else None)
        except Fault as fault:
            raise invalid([Complaint("#/parent", fault.message, fault.code.value)]) from fault
        model = operation.request
        known, _ = split(model, request)
        try:
            operation.build_submit(model.model_validate(known), order)
        except Fault as fault:
            raise invalid([Complaint("#/input", fault.message, fault.code.value)]) from fault
        except ValidationError as error:
            raise invalid(complaints(error, known, model, ("input",))) from error

    def _followers(self, parent: Job, dialect: str) -> list[str]:
        return [
            operation.name
            for operation in providers.OPERATIONS
            if operation.provider == parent.provider
            and operation.dialect == dialect
            and parent.operation in operation.follows
        ]


def stands_alone(operation: Operation[Any]) -> bool:
    """Whether its example can be ordered without a job to follow."""
    try:
        operation.build_submit(
            operation.request.model_validate(operation.example), Order("job_dry")
        )
    except Fault:
        return False
    return True
