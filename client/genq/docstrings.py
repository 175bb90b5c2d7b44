"""One description for both clients: `AsyncClient` takes the docstrings of `Client`."""

from collections.abc import Callable
from typing import TypeVar

C = TypeVar("C", bound=type)


def documented_like(source: type) -> Callable[[C], C]:
    """Return a decorator that copies missing docstrings from the methods of `source`."""

    def document(target: C) -> C:
        for name, member in vars(target).items():
            described = getattr(source, name, None)
            if callable(member) and not member.__doc__ and described is not None:
                member.__doc__ = described.__doc__
        return target

    return document
