"""
Writes that arrive together commit together.

Whoever calls waits until its own write is on disk, as with a transaction of its own; but all that
came in while the previous transaction was committing share the next one, and its one flush to disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.database import Database
from generation.store.trouble import cause_of, is_cut, takes_no_writes

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Batch = list[tuple[Item, asyncio.Future[Answer]]]
Write = Callable[[AsyncConnection, Sequence[Item]], Awaitable[Sequence[Answer]]]


class GroupCommit(Generic[Item, Answer]):
    """
    Runs `write` on batches of at most `limit` items, each batch one transaction. An item that makes
    its batch fail fails alone: the batch is rolled back and each item written by itself. So is a
    batch whose connection broke. It may have been committed all the same: `write` must bear an item
    that it has written before, which then always comes alone.
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

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.writing()

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            await self._commit(batch)

    async def _commit(self, batch: Batch[Item, Answer], *, repeated: bool = False) -> None:
        try:
            async with self._transaction() as connection:
                answers = await self._write(connection, [item for item, _ in batch])
        except Exception as error:
            cut = is_cut(error)
            gone = cut and (takes_no_writes(cause_of(error)) or not await self._answers())
            if gone or (len(batch) == 1 and (repeated or not cut)):
                fail(batch, error)
            else:
                for entry in batch:
                    await self._commit([entry], repeated=cut)
        except BaseException as error:  # the loop ends, and somebody waits for the outcome
            fail(batch, error)
            raise
        else:
            for (_, done), answer in zip(batch, answers, strict=True):
                if not done.done():
                    done.set_result(answer)

    async def _answers(self) -> bool:
        """Whether the database is there: where it is away, one attempt in vain is enough."""
        try:
            async with self._database.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            log.warning("database_away", error=f"{type(error).__name__}: {error}")
            return False
        return True


class GroupOutright(GroupCommit[Item, Answer]):
    """
    The same where `write` says it all by statements that each are a transaction of their own. What
    it has written before may then come again within a batch as well.
    """

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.outright()


class GroupRead(GroupCommit[Item, Answer]):
    """The same for questions: those that come together are asked in one transaction that reads."""

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.reading()


def fail(batch: Batch[Item, Answer], error: BaseException) -> None:
    """Tell everybody who waits for this batch."""
    for _, done in batch:
        if not done.done():
            done.set_exception(error)
