"""Waiting ends with the value that was waited for, or says what did not come."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.services.waiting import wait_for, wait_for_async

SOON = timedelta(milliseconds=50)
LONG = timedelta(seconds=10)


def counting() -> Callable[[], int]:
    """0, then 1, then 2 …"""
    numbers = iter(range(100))
    return lambda: next(numbers)


def test_it_returns_the_first_truthy_value_and_polls_every_20_ms() -> None:
    started = time.monotonic()
    assert wait_for(counting(), LONG, "a number") == 1
    assert 0.02 <= time.monotonic() - started < 5


def test_it_names_what_did_not_come_and_the_last_value() -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for the job to end; .* was \[\]"):
        wait_for(list[str], SOON, "the job to end")


def test_what_the_condition_raises_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 // 0, LONG, "nothing")


async def test_the_loop_goes_on_while_it_waits() -> None:
    arrived = asyncio.Event()
    asyncio.get_running_loop().call_later(0.03, arrived.set)
    assert await wait_for_async(arrived.is_set, LONG, "the event")


async def test_an_async_condition_is_awaited() -> None:
    count = counting()

    async def condition() -> int:
        return count()

    assert await wait_for_async(condition, LONG, "a number") == 1
    with pytest.raises(AssertionError, match="for a miracle; the last value was None"):
        await wait_for_async(lambda: asyncio.sleep(0), SOON, "a miracle")
