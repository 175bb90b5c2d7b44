"""Parsed upstream answers, with the text they were parsed from.

The text is stored with the job, cut to a limit, for people who debug a station.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from generation.contract.reply import Reply

Answer_co = TypeVar("Answer_co", covariant=True)

#: Longest stored transcript, in characters, without its first line.
MAX_TRANSCRIPT_CHARACTERS = 8000


@dataclass(frozen=True, slots=True)
class UpstreamAnswer(Generic[Answer_co]):
    """A parsed answer. Its transcript is made only when it is asked for."""

    answer: Answer_co
    make_transcript: Callable[[], str]

    @property
    def words(self) -> str:
        """The transcript."""
        return self.make_transcript()


def no_transcript() -> str:
    """Return the transcript of an answer that came from no response."""
    return ""


def transcript_of(reply: Reply, around: str = "") -> str:
    """Return the HTTP status and the body of a reply as text.

    A long body is cut to `MAX_TRANSCRIPT_CHARACTERS`: to those around the first occurrence of
    `around` (a task's id in an answer about many tasks), else to the first ones.
    """
    body = reply.body.decode("utf-8", "replace").replace("\0", "")
    if len(body) > MAX_TRANSCRIPT_CHARACTERS:
        start = max(0, body.find(around) - MAX_TRANSCRIPT_CHARACTERS // 2) if around else 0
        body = body[start : start + MAX_TRANSCRIPT_CHARACTERS]
    return f"HTTP {reply.status}\n{body}"
