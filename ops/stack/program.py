"""A program of a stack: command, readiness, stop and restart rules."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from signal import SIGTERM, Signals

#: Polled until it returns whether the program can be used. Must not raise.
Ready = Callable[[], Awaitable[bool]]

ANSWER_WITHIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """How an exited program is restarted: after pauses that double.

    A run shorter than `quick` is a crash; a longer one resets the count. `give_up_after` crashes in
    a row end the stack.
    """

    first_pause: timedelta = timedelta(milliseconds=500)
    longest_pause: timedelta = timedelta(seconds=10)
    quick: timedelta = timedelta(seconds=10)
    give_up_after: int = 5

    def pause(self, crashes: int) -> timedelta:
        """Return the pause after this many crashes in a row."""
        doublings = min(crashes - 1, 16)  # larger exponents would overflow timedelta
        return min(self.first_pause * 2**doublings, self.longest_pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program of a stack.

    `env` is added to the supervisor's environment. Without `ready` the program counts as ready at
    once. `stop_signal` goes to the program, which has `stop_timeout` to exit; then its process
    group is killed.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ready: Ready | None = None
    #: A slow, busy machine needs half a minute to start a Python program.
    ready_timeout: timedelta = timedelta(seconds=90)
    stop_signal: Signals = SIGTERM
    stop_timeout: timedelta = timedelta(seconds=10)
    restart: Restart = Restart()


def http_answers(url: str) -> Ready:
    """Return a check that a GET of the URL returns 200, without a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get() -> bool:
        try:
            with opener.open(url, timeout=ANSWER_WITHIN.total_seconds()) as answer:
                return answer.status == HTTPStatus.OK
        except (urllib.error.URLError, OSError):
            return False

    return lambda: asyncio.to_thread(get)
