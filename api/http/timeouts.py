"""Timeouts and cancellation of work that must not be interrupted."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def within(limit: timedelta, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return the result of the work.

    Raises `TimeoutError`.

    Unlike `asyncio.timeout` it does not wait for work that ignores its cancellation.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=limit.total_seconds())
    if not done:
        task.add_done_callback(retrieve_exception)
        task.cancel()
        raise TimeoutError
    return task.result()


async def uncut(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return the result of the work, which goes on to its end if the caller is canceled.

    A database connection that is canceled in the middle of a statement is lost to its pool.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(retrieve_exception)
        raise


def retrieve_exception(task: asyncio.Future[Any]) -> None:
    """Retrieve the exception so that asyncio does not log it as never retrieved."""
    if not task.cancelled():
        task.exception()
