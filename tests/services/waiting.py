"""Waiting for something to become true, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NoReturn, TypeVar, cast

Value = TypeVar("Value")

POLL_EVERY = timedelta(milliseconds=20)


def wait_for(condition: Callable[[], Value], timeout: timedelta, what: str) -> Value:
    """
    The first truthy value of `condition`, asked every 20 ms.

    It blocks: in an async test it would stop the loop the condition may depend on, so there use
    `wait_for_async`. Raises AssertionError, naming `what` and the last value, when time is up; what
    the condition raises is not caught.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    while not (value := condition()):
        if time.monotonic() >= deadline:
            _give_up(what, timeout, value)
        time.sleep(POLL_EVERY.total_seconds())
    return value


async def wait_for_async(
    condition: Callable[[], Value | Awaitable[Value]], timeout: timedelta, what: str
) -> Value:
    """`wait_for` on the event loop; the condition may be a plain or an async function."""
    deadline = time.monotonic() + timeout.total_seconds()
    while not (value := await _ask(condition)):
        if time.monotonic() >= deadline:
            _give_up(what, timeout, value)
        await asyncio.sleep(POLL_EVERY.total_seconds())
    return value


async def _ask(condition: Callable[[], Value | Awaitable[Value]]) -> Value:
    answer = condition()
    if isinstance(answer, Awaitable):
        return await cast(Awaitable[Value], answer)
    return answer


def _give_up(what: str, timeout: timedelta, last: object) -> NoReturn:
    __tracebackhide__ = True
    raise AssertionError(
        f"waited {timeout.total_seconds():g} s for {what}; the last value was {last!r}"
    )
