"""
Waiting, but not for ever.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def within(limit: timedelta, work: Coroutine[Any, Any, Answer]) -> Answer:
    """
    What the work returns, or `TimeoutError`. Unlike `asyncio.timeout` it does not wait for work
    that cannot be interrupted: whoever hangs is told to stop and left alone.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=limit.total_seconds())
    if not done:
        task.add_done_callback(forget)
        task.cancel()
        raise TimeoutError
    return task.result()


async def uncut(work: Coroutine[Any, Any, Answer]) -> Answer:
    """
    What the work returns. It goes on to its end where whoever waits for it is canceled: a database
    connection that is canceled in the middle of a statement is lost to its pool.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(forget)
        raise


def forget(task: asyncio.Future[Any]) -> None:
    """Take note of how it ended, so that nobody complains that nobody did."""
    if not task.cancelled():
        task.exception()
