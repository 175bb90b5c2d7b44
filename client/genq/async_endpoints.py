"""
Webhook endpoints and deliveries, for asyncio, as `client.endpoints`.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from genq import endpoint_calls as calls
from genq.endpoint import Endpoint
from genq.job import Document
from genq.steps import Steps

T = TypeVar("T")


class Run(Protocol):
    """Performs the steps of a call."""

    async def __call__(self, steps: Steps[T]) -> T: ...


class AsyncEndpoints:
    """Who is told of all your jobs. Every method raises a `GenqError` where it fails."""

    def __init__(self, run: Run, patience: float) -> None:
        self._run = run
        self._patience = patience

    async def create(self, url: str, **fields: Any) -> Endpoint:
        """
        A new endpoint, with its `secret`. Fields: `events`, `metadata`, `headers`, `description`,
        `concurrency`, `rate`, `ordered`, `enabled`. Sent once.
        """
        return await self._run(calls.create(url, fields))

    async def list(self) -> Sequence[Endpoint]:
        """All of them, oldest first."""
        return await self._run(calls.every(self._patience))

    async def get(self, endpoint_id: str) -> Endpoint:
        return await self._run(calls.get(endpoint_id, self._patience))

    async def change(self, endpoint_id: str, **fields: Any) -> Endpoint:
        """Change these fields; `enabled=True` also forgets its failures."""
        return await self._run(calls.change(endpoint_id, fields, self._patience))

    async def delete(self, endpoint_id: str) -> None:
        """What is still on its way to it is withdrawn."""
        await self._run(calls.delete(endpoint_id, self._patience))

    async def rotate_secret(self, endpoint_id: str, overlap: str | None = None) -> Endpoint:
        """A new `secret`; the one before signs too for the overlap (`"24h"`, at most `"7d"`)."""
        return await self._run(calls.rotate_secret(endpoint_id, overlap))

    async def test(self, endpoint_id: str) -> Document:
        """Send it an `endpoint.test`; the delivery, still to be sent."""
        return await self._run(calls.test(endpoint_id))

    async def stats(self, endpoint_id: str) -> Document:
        """How it fares: deliveries by state, `success_rate`, `failing_percent` and more."""
        return await self._run(calls.stats(endpoint_id, self._patience))

    async def recover(
        self, endpoint_id: str, since: datetime, until: datetime | None = None
    ) -> int:
        """Send what has failed in that time again; how many."""
        steps = calls.send_again(endpoint_id, "recover", since, until, self._patience)
        return await self._run(steps)

    async def replay(self, endpoint_id: str, since: datetime, until: datetime | None = None) -> int:
        """Send what it was never sent, of the events of that time; how many."""
        steps = calls.send_again(endpoint_id, "replay", since, until, self._patience)
        return await self._run(steps)

    async def cancel_pending(self, endpoint_id: str) -> int:
        """Withdraw all that is still to be sent to it; how many."""
        return await self._run(calls.cancel_pending(endpoint_id, self._patience))

    async def deliveries(
        self, *, limit: int | None = None, **filters: str
    ) -> AsyncGenerator[Document]:
        """
        Deliveries to endpoints and to the webhooks of jobs, newest first; filters are `state`,
        `endpoint`, `job`, `type`, `created_after` and `created_before`.
        """
        left, params = limit, dict(filters)
        while left is None or left > 0:
            size = {"limit": str(min(left, 100))} if left is not None else {}
            page, cursor = await self._run(calls.deliveries(params | size, self._patience))
            for each in page:
                yield each
            left = None if left is None else left - len(page)
            if cursor is None:
                return
            params["cursor"] = cursor

    async def resend(self, delivery_id: str) -> Document:
        """Send a delivery again, at once, under its old event id."""
        return await self._run(calls.resend(delivery_id))
