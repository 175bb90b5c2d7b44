"""
What somebody may have meant by a name that is not known.
"""

import difflib
from collections.abc import Iterable

#: No name of ours is longer; comparing takes time that grows with length.
LONGEST_NAME = 100


def likely(name: str, known: Iterable[str]) -> str:
    """`; did you mean state?`, or nothing where no known name is like it."""
    meant = difflib.get_close_matches(name[:LONGEST_NAME], list(known), 1)
    return f"; did you mean {meant[0]}?" if meant else ""


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """`there is no such provider; did you mean kling? There are flux, kling`; what of is `what`."""
    names = list(known)
    hint = likely(name, names)
    return f"there is no {what}{hint or ';'} {'There' if hint else 'there'} are {', '.join(names)}"


def no_such_operation(provider: str, name: str, known: Iterable[str]) -> str:
    """Names the operations of this provider, and no others: all of them are a hundred."""
    names = sorted(known)
    hint = likely(name, names)
    return (
        f"{provider} has no such operation{hint}{' It' if hint else '; it'} has {', '.join(names)}"
    )
