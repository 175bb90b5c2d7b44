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

from generation.store.engine.database import Database
from generation.store.engine.db_errors import cause_of, is_cut, takes_no_writes

log = structlog.get_logger(__name__)

#: So few are written together, whatever else could be done meanwhile.
FEW = 16

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

    #: Transactions at a time.
    _most = 1

    def __init__(self, database: Database, write: Write[Item, Answer], limit: int = 500) -> None:
        self._database = database
        self._write = write
        self._limit = self._share = limit
        self._waiting: Batch[Item, Answer] = []
        #: How many are being written.
        self._writing = 0
        self._flushers: set[asyncio.Task[None]] = set()
        self._flushing = 0

    async def __call__(self, item: Item) -> Answer:
        """Returns once the item is on disk, with what `write` answered for it."""
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
            # The last one takes whatever waits; another beside it nothing less than a share.
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
        """How many to write next at most, where this many are being written or wait."""
        del together
        return self._limit

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
    it has written before may then come again within a batch as well. PostgreSQL is given `most`
    batches at a time; SQLite has one writer.
    """

    def __init__(
        self, database: Database, write: Write[Item, Answer], limit: int = 500, most: int = 2
    ) -> None:
        super().__init__(database, write, limit)
        self._most = 1 if database.is_sqlite else most

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.outright()

    def _share_of(self, together: int) -> int:
        """
        A part: if all callers wait for one commit, the loop has nothing to do until it is there.
        While some are committed, others are answered and come back.
        """
        return max(FEW, together // (self._most + 1))


class GroupRead(GroupCommit[Item, Answer]):
    """The same for questions: those that come together are asked in one transaction that reads."""

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.reading()


def fail(batch: Batch[Item, Answer], error: BaseException) -> None:
    """Tell everybody who waits for this batch."""
    for _, done in batch:
        if not done.done():
            done.set_exception(error)
