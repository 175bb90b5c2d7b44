"""How a command ends: with one of a few exit codes, and one sentence where it went wrong."""

from enum import IntEnum


class Code(IntEnum):
    """What a command's exit code means."""

    OK = 0
    #: A job did not succeed, or a command could not do its work.
    FAILED = 1
    #: The command line is wrong.
    USAGE = 2
    #: The API cannot be reached, or refuses.
    REFUSED = 3
    #: `--timeout` passed before the jobs had ended.
    TIMED_OUT = 4
    #: Ctrl-C.
    INTERRUPTED = 130


class Stop(Exception):
    """The command ends here. The message is one sentence that says what to change."""

    def __init__(self, message: str, code: Code = Code.FAILED) -> None:
        super().__init__(message)
        self.code = code
