"""Temporary signal handlers on the event loop."""

import asyncio
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from signal import Signals


@contextmanager
def handling_signals(signals: Sequence[Signals], act: Callable[[Signals], None]) -> Generator[None]:
    """Call `act` on the running loop for each of the signals, during the block.

    Main thread only. Ignored signals stay ignored: nohup and background scripts rely on that. The
    previous handlers are restored.
    """
    loop = asyncio.get_running_loop()
    before = {signum: signal.getsignal(signum) for signum in signals}
    taken = [signum for signum in signals if before[signum] is not signal.SIG_IGN]
    for signum in taken:
        loop.add_signal_handler(signum, act, signum)
    try:
        yield
    finally:
        for signum in taken:
            loop.remove_signal_handler(signum)
            signal.signal(signum, before[signum])
