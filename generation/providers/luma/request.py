"""What every request has in common, and how a follow-up finds what it follows.

A value is refused here where Luma would surely refuse it. What a model can do is only judged for
models known here: a new model's name passes, and so does whatever is asked of it.
"""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.request import Problem, Request
from generation.contract.status import AssetType


@dataclass(frozen=True, slots=True)
class Draft:
    """What a request becomes: a path, seen from the dialect's root, and a body."""

    path: str
    body: Mapping[str, Any]
    method: str = "POST"


class LumaRequest(Request):
    """A request whose fields must also fit each other, and which knows what is sent for it."""

    @abstractmethod
    def draft(self, parent: Parent | None) -> Draft:
        """What is sent.

        Raises `Rejected` where what it follows is neither named nor to be had from the parent.
        """


def generation_of(parent: Parent | None, named: str | None, field: str) -> str:
    """The generation to follow: the one that is named, or the parent's. Raises `Rejected`."""
    if named is not None and parent is not None and named != parent.upstream_id:
        raise Rejected(f"{field} is another generation than the parent job's: give only one")
    if found := named or (parent and parent.upstream_id):
        return found
    raise Rejected(f"there is nothing to follow: name a parent job, or give {field}")


def file_of(parent: Parent | None, named: str | None, medium: AssetType, field: str) -> str:
    """The URL to work on: the one that is given, or the parent's result. Raises `Rejected`."""
    alone(parent, named, field)
    if named is not None:
        return named
    assets = parent.result.assets if parent is not None else ()
    ours = [asset for asset in assets if asset.type is medium]
    best = next((asset for asset in ours if asset.role == "result"), next(iter(ours), None))
    if best is not None:
        return best.url
    if parent is None:
        raise Rejected(f"there is nothing to work on: name a parent job, or give {field}")
    raise Rejected(f"the parent job has no {medium}: name another, or give {field}")


def alone(parent: Parent | None, named: str | None, field: str) -> None:
    """Raises `Rejected` where both a parent and this field say what to work on."""
    if named is not None and parent is not None:
        raise Rejected(f"the parent job and {field} both say what to work on: give only one")


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def unknown_value(
    field: str, value: str | None, known: Collection[str], model: str
) -> Iterator[Problem]:
    """A value the named model does not take. No value is always fine."""
    if value is not None and value not in known:
        words = f"{model} takes {one_of(known)}" if known else f"{model} takes none: leave it out"
        yield (field,), words


def one_of(values: Collection[str]) -> str:
    *most, last = values
    return f"{', '.join(most)} or {last}" if most else last
