"""Follow-ups of a job: checked before they are stored, as a refusal upstream may cost money."""

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

#: The operation of a submission that has an `action` and no operation.
ACTION = "action"


class FollowUps:
    """Knows which operations can follow which jobs. Does no I/O."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    def operation(self, parent: Job, name: str) -> Operation[Any]:
        """Return the operation that follows `parent`, in the dialect of the parent's station.

        Raises `Problem` if there is none, or if it cannot follow this job.
        """
        station = self._stations.get(parent.station or "")
        spoken = station.speaks.get(parent.provider) if station else None
        if spoken is None:
            detail = f"the station of {parent.id}, {parent.station}, is not in use any more"
            raise invalid([Complaint("#/parent", detail, "unsupported")], UNSUPPORTED)
        operation = providers.find(parent.provider, name, spoken.dialect)
        if operation is None or not operation.follows:
            offered = ", ".join(self._followers(parent, spoken.dialect)) or "nothing"
            detail = f"{parent.provider}.{parent.operation} can be followed by {offered} there"
            raise invalid([Complaint("#/operation", detail, "unsupported")], UNSUPPORTED)
        if parent.operation not in operation.follows:
            known = ", ".join(sorted(operation.follows))
            detail = f"{name} follows {known}; {parent.id} is {parent.operation}"
            raise invalid([Complaint("#/parent", detail, "parent")])
        return operation

    def check(self, operation: Operation[Any], request: dict[str, Any], parent: Job | None) -> None:
        """Raise `Problem` if the call cannot be built, with or without this parent.

        Examples: an unknown button, nothing to extend, a field that the dialect cannot express.
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


def needs_no_parent(operation: Operation[Any]) -> bool:
    """Whether the operation's example can be submitted without a parent."""
    try:
        operation.build_submit(
            operation.request.model_validate(operation.example), Order("job_dry")
        )
    except Fault:
        return False
    return True
