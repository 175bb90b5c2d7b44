"""Group commit: writes that arrive together are committed together.

A caller waits until its own write is on disk, as with a transaction of its own. All writes that
arrive while the previous transaction commits share the next one, and its one flush to disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.engine.database import Database
from generation.store.engine.db_errors import cause_of, is_disconnected, takes_no_writes

log = structlog.get_logger(__name__)

#: Groups up to this size are written together in any case.
FEW = 16

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Batch = list[tuple[Item, asyncio.Future[Answer]]]
Write = Callable[[AsyncConnection, Sequence[Item]], Awaitable[Sequence[Answer]]]


class GroupCommit(Generic[Item, Answer]):
    """Runs `write` on batches of at most `limit` items, each batch one transaction.

    An item that makes its batch fail fails alone: the batch is rolled back and each item is written
    by itself. The same is done for a batch whose connection broke. It may have been committed:
    `write` must accept an item that it has written before, which then always comes alone.
    """

    #: Transactions at a time.
    _most = 1

    def __init__(self, database: Database, write: Write[Item, Answer], limit: int = 500) -> None:
        self._database = database
        self._write = write
        self._limit = self._share = limit
        self._waiting: Batch[Item, Answer] = []
        #: The number of items being written.
        self._writing = 0
        self._flushers: set[asyncio.Task[None]] = set()
        self._flushing = 0

    async def __call__(self, item: Item) -> Answer:
        """Return what `write` answered for the item, once it is on disk."""
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._flushing == 0 or (
            self._flushing < self._most and len(self._waiting) >= self._share
        ):
            self._flushing += 1
            flusher = asyncio.create_task(self._flush())
            self._flushers.add(flusher)
            flusher.add_done_callback(self._flushers.discard)
        return await done

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.writing()

    async def _flush(self) -> None:
        try:
            # The last transaction takes all waiting items; another beside it at least a share of
            # them.
            while self._waiting and (self._flushing == 1 or len(self._waiting) >= self._share):
                await self._write_share()
        finally:
            self._flushing -= 1

    async def _write_share(self) -> None:
        batch, self._waiting = self._waiting[: self._share], self._waiting[self._share :]
        self._writing += len(batch)
        try:
            await self._commit(batch)
            self._share = min(self._limit, self._share_of(self._writing + len(self._waiting)))
        finally:
            self._writing -= len(batch)

    def _share_of(self, together: int) -> int:
        """Return how many items to write next at most, given how many are being written or wait."""
        del together
        return self._limit

    async def _commit(self, batch: Batch[Item, Answer], *, repeated: bool = False) -> None:
        try:
            async with self._transaction() as connection:
                answers = await self._write(connection, [item for item, _ in batch])
        except Exception as error:
            cut = is_disconnected(error)
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
        """Return whether the database is reachable: while it is away, one attempt is enough."""
        try:
            async with self._database.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            log.warning("database_away", error=f"{type(error).__name__}: {error}")
            return False
        return True


class GroupStatement(GroupCommit[Item, Answer]):
    """The same for a `write` whose statements are transactions of their own.

    What it has written before may then come again within a batch. PostgreSQL gets `most` batches at
    a time; SQLite has one writer.
    """

    def __init__(
        self, database: Database, write: Write[Item, Answer], limit: int = 500, most: int = 2
    ) -> None:
        super().__init__(database, write, limit)
        self._most = 1 if database.is_sqlite else most

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.autocommit()

    def _share_of(self, together: int) -> int:
        """Return a part of the waiting items.

        If all callers waited for one commit, the loop would be idle until it is done. While some
        are committed, others are answered and send again.
        """
        return max(FEW, together // (self._most + 1))


class GroupRead(GroupCommit[Item, Answer]):
    """The same for reads: those that arrive together share one reading transaction."""

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.reading()


def fail(batch: Batch[Item, Answer], error: BaseException) -> None:
    """Report the error to every caller of this batch."""
    for _, done in batch:
        if not done.done():
            done.set_exception(error)
