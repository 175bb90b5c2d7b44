"""
Writes that arrive together commit together.

Whoever calls waits until its own write is on disk, as with a transaction of its own; but all that
came in while the previous transaction was committing share the next one, and its one flush to disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.database import Database
from generation.store.trouble import is_cut

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Batch = list[tuple[Item, asyncio.Future[Answer]]]
Write = Callable[[AsyncConnection, Sequence[Item]], Awaitable[Sequence[Answer]]]


class GroupCommit(Generic[Item, Answer]):
    """
    Runs `write` on batches of at most `limit` items, each batch one transaction. An item that makes
    its batch fail fails alone: the batch is rolled back and each item written by itself. A batch
    whose connection broke is written once more, and may have been committed the first time: `write`
    must bear that.
    """

    def __init__(self, database: Database, write: Write[Item, Answer], limit: int = 500) -> None:
        self._database = database
        self._write = write
        self._limit = limit
        self._waiting: Batch[Item, Answer] = []
        self._flusher: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        """Returns once the item is on disk, with what `write` answered for it."""
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await done

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            await self._commit(batch)

    async def _commit(self, batch: Batch[Item, Answer], *, again: bool = True) -> None:
        try:
            async with self._database.writing() as connection:
                answers = await self._write(connection, [item for item, _ in batch])
        except Exception as error:
            if again and is_cut(error):
                await self._commit(batch, again=False)
            elif len(batch) == 1 or is_cut(error):
                fail(batch, error)
            else:
                for entry in batch:
                    await self._commit([entry])
        except BaseException as error:  # the loop ends, and somebody waits for the outcome
            fail(batch, error)
            raise
        else:
            for (_, done), answer in zip(batch, answers, strict=True):
                if not done.done():
                    done.set_result(answer)


def fail(batch: Batch[Item, Answer], error: BaseException) -> None:
    """Tell everybody who waits for this batch."""
    for _, done in batch:
        if not done.done():
            done.set_exception(error)
