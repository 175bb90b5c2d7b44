"""
Why a stack ended, other than because its block was done:

    StackEnded
      ProgramFailed   a program was never ready, or crashed too often
      Interrupted     a signal
"""

from signal import Signals


class StackEnded(Exception):
    """The stack has been stopped for a reason; `exit_code` is what its command should end with."""

    exit_code: int


class ProgramFailed(StackEnded):
    """A program did not become ready or crashed too often; the message has its last lines."""

    exit_code = 1


class Interrupted(StackEnded):
    """A signal stopped the stack, in order. The exit code is a shell's: 130 after Ctrl-C."""

    def __init__(self, signum: Signals) -> None:
        super().__init__(f"stopped by {signum.name}")
        self.exit_code = 128 + signum
