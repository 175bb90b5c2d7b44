"""Errors that end a stack before its block is done.

StackEnded
  ProgramFailed   a program did not become ready, or crashed too often
  Interrupted     a signal arrived
"""

from signal import Signals


class StackEnded(Exception):
    """The stack was stopped; its command should exit with `exit_code`."""

    exit_code: int


class ProgramFailed(StackEnded):
    """A program did not become ready or crashed too often; the message has its last lines."""

    exit_code = 1


class Interrupted(StackEnded):
    """A signal stopped the stack in order. Exit code as in a shell: 130 after Ctrl-C."""

    def __init__(self, signum: Signals) -> None:
        super().__init__(f"stopped by {signum.name}")
        self.exit_code = 128 + signum
