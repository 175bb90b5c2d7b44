"""One result of `genq check`."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Severity of a finding."""

    OK = "ok"
    #: genq works, but an operator should know this.
    WARNING = "warning"
    #: genq, or a part of it, does not work.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check. The message of a problem says what to change."""

    subject: str
    level: Level
    message: str


def ok(subject: str, message: str) -> Finding:
    return Finding(subject, Level.OK, message)


def warning(subject: str, message: str) -> Finding:
    return Finding(subject, Level.WARNING, message)


def problem(subject: str, message: str) -> Finding:
    return Finding(subject, Level.PROBLEM, message)
