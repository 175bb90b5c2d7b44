"""Webhook endpoints and deliveries, as `AsyncClient.endpoints`."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from genq import endpoint_calls as calls
from genq.docstrings import documented_like
from genq.endpoint import Endpoint
from genq.endpoints import Endpoints
from genq.job import Document
from genq.pages import Pages
from genq.steps import Steps

T = TypeVar("T")


class AsyncRun(Protocol):
    """Performs the steps of a call."""

    async def __call__(self, steps: Steps[T]) -> T: ...


@documented_like(Endpoints)
class AsyncEndpoints:
    """`Endpoints` for asyncio: the same arguments and methods, awaited."""

    def __init__(self, run: AsyncRun, patience: float) -> None:
        self._run = run
        self._patience = patience

    async def create(self, url: str, **fields: Any) -> Endpoint:
        return await self._run(calls.create(url, fields))

    async def list(self) -> Sequence[Endpoint]:
        return await self._run(calls.list_endpoints(self._patience))

    async def get(self, endpoint_id: str) -> Endpoint:
        return await self._run(calls.get(endpoint_id, self._patience))

    async def change(self, endpoint_id: str, **fields: Any) -> Endpoint:
        return await self._run(calls.change(endpoint_id, fields, self._patience))

    async def delete(self, endpoint_id: str) -> None:
        await self._run(calls.delete(endpoint_id, self._patience))

    async def rotate_secret(self, endpoint_id: str, overlap: str | None = None) -> Endpoint:
        return await self._run(calls.rotate_secret(endpoint_id, overlap))

    async def test(self, endpoint_id: str) -> Document:
        return await self._run(calls.test(endpoint_id))

    async def stats(self, endpoint_id: str) -> Document:
        return await self._run(calls.stats(endpoint_id, self._patience))

    async def recover(
        self, endpoint_id: str, since: datetime, until: datetime | None = None
    ) -> int:
        steps = calls.send_again(endpoint_id, "recover", since, until, self._patience)
        return await self._run(steps)

    async def replay(self, endpoint_id: str, since: datetime, until: datetime | None = None) -> int:
        steps = calls.send_again(endpoint_id, "replay", since, until, self._patience)
        return await self._run(steps)

    async def cancel_pending(self, endpoint_id: str) -> int:
        return await self._run(calls.cancel_pending(endpoint_id, self._patience))

    async def deliveries(
        self, *, limit: int | None = None, **filters: str
    ) -> AsyncGenerator[Document]:
        pages = Pages(calls.deliveries, filters, limit)
        while not pages.done:
            for item in await self._run(pages.next(self._patience)):
                yield item

    async def resend(self, delivery_id: str) -> Document:
        return await self._run(calls.resend(delivery_id))
