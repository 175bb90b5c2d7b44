"""
What an exchange with an upstream brought, and what the upstream literally said: kept on the job,
cut, for people who debug a station.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from generation.contract.reply import Reply

Answer_co = TypeVar("Answer_co", covariant=True)

#: Of the words of an upstream, this many characters are kept.
KEPT = 8000


@dataclass(frozen=True, slots=True)
class Heard(Generic[Answer_co]):
    """An answer and the words it was read from, which are put together only when asked for."""

    answer: Answer_co
    say: Callable[[], str]

    @property
    def words(self) -> str:
        return self.say()


def silence() -> str:
    """The words of an answer that nobody said."""
    return ""


def words_of(reply: Reply, about: str = "") -> str:
    """
    The reply in words: its HTTP status and its body, at most `KEPT` characters. Of a long answer
    about many tasks, the part `about` one of them.
    """
    body = reply.body.decode("utf-8", "replace").replace("\0", "")
    if len(body) > KEPT:
        start = max(0, body.find(about) - KEPT // 2) if about else 0
        body = body[start : start + KEPT]
    return f"HTTP {reply.status}\n{body}"
