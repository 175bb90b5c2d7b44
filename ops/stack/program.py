"""What is run, how it is known to be ready, how it is stopped, and when it is given up."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from signal import SIGTERM, Signals

#: Asked again and again; it says whether the program can be used now, and raises nothing.
Ready = Callable[[], Awaitable[bool]]

ANSWER_WITHIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """
    A program that ends by itself is started again, each time after a longer pause.

    A crash is quick when the program ran for less than `quick`. A longer run forgives all earlier
    crashes; `give_up_after` quick ones in a row end the stack.
    """

    first_pause: timedelta = timedelta(milliseconds=500)
    longest_pause: timedelta = timedelta(seconds=10)
    quick: timedelta = timedelta(seconds=10)
    give_up_after: int = 5

    def pause(self, crashes: int) -> timedelta:
        """How long to wait after so many crashes in a row: twice as long as the time before."""
        doublings = min(crashes - 1, 16)  # a timedelta overflows some time after
        return min(self.first_pause * 2**doublings, self.longest_pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """
    One program of a stack.

    `env` is added to the supervisor's own environment. Without `ready` the program counts as ready
    as soon as it runs. `stop_signal` goes to the program itself, which may take `stop_timeout` to
    end; what is left of its process group then is killed.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ready: Ready | None = None
    #: A slow machine that is busy besides takes half a minute to start a Python program.
    ready_timeout: timedelta = timedelta(seconds=90)
    stop_signal: Signals = SIGTERM
    stop_timeout: timedelta = timedelta(seconds=10)
    restart: Restart = Restart()


def http_answers(url: str) -> Ready:
    """Ready when a GET of the URL is answered with 200, no proxy between."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get() -> bool:
        try:
            with opener.open(url, timeout=ANSWER_WITHIN.total_seconds()) as answer:
                return answer.status == HTTPStatus.OK
        except (urllib.error.URLError, OSError):
            return False

    return lambda: asyncio.to_thread(get)
