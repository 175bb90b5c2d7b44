"""The sandbox clock: it can run faster than real time, stand still, and jump ahead."""

import math
import time
from collections.abc import Callable


def milliseconds(moment: float) -> int:
    """A time in seconds as milliseconds, the unit of the upstream protocols."""
    return int(moment * 1000)


class SandboxClock:
    """Sandbox time in seconds since the epoch.

    It starts at the real time and never goes back.

    It is not thread safe: only the station's event loop may use it.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._moment = time.time()
        self._mark = time.monotonic()
        self._on_change: list[Callable[[], None]] = []

    def now(self) -> float:
        """The sandbox time."""
        return self._moment + (time.monotonic() - self._mark) * self._speed

    def set_speed(self, speed: float) -> None:
        """Run at `speed` from now on."""
        self._jump_to(self.now())
        self._speed = speed
        self._tell()

    def advance(self, seconds: float) -> None:
        """Jump `seconds` ahead, at once."""
        self._jump_to(self.now() + seconds)
        self._tell()

    def real_seconds_until(self, moment: float) -> float:
        """Real seconds until a sandbox time: 0 if it is past, inf if the clock stands still."""
        ahead = moment - self.now()
        if ahead <= 0:
            return 0.0
        return ahead / self._speed if self._speed else math.inf

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each jump and each change of speed."""
        self._on_change.append(listener)

    def _jump_to(self, moment: float) -> None:
        self._moment, self._mark = moment, time.monotonic()

    def _tell(self) -> None:
        for listener in self._on_change:
            listener()
