"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: genq works, and an operator should know this.
    WARNING = "warning"
    #: genq, or a part of it, does not work like this.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. The message of a problem says what to do."""

    subject: str
    level: Level
    message: str


def ok(subject: str, message: str) -> Finding:
    return Finding(subject, Level.OK, message)


def warning(subject: str, message: str) -> Finding:
    return Finding(subject, Level.WARNING, message)


def problem(subject: str, message: str) -> Finding:
    return Finding(subject, Level.PROBLEM, message)
