"""Webhook endpoints and deliveries, as `Client.endpoints`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from genq import endpoint_calls as calls
from genq.endpoint import Endpoint
from genq.job import Document
from genq.pages import Pages
from genq.steps import Steps

T = TypeVar("T")


class Run(Protocol):
    """Performs the steps of a call."""

    def __call__(self, steps: Steps[T]) -> T: ...


class Endpoints:
    """Your webhook endpoints. Every method may raise a `GenqError`."""

    def __init__(self, run: Run, patience: float) -> None:
        self._run = run
        self._patience = patience

    def create(self, url: str, **fields: Any) -> Endpoint:
        """Create an endpoint and return it with its `secret`.

        Not retried.

        Fields: `events`, `metadata`, `headers`, `description`, `concurrency` (requests at a time),
        `rate` (requests per second), `ordered`, `enabled`.
        """
        return self._run(calls.create(url, fields))

    def list(self) -> Sequence[Endpoint]:
        """Return all endpoints, oldest first."""
        return self._run(calls.list_endpoints(self._patience))

    def get(self, endpoint_id: str) -> Endpoint:
        """Return the endpoint. Raises `NotFound`."""
        return self._run(calls.get(endpoint_id, self._patience))

    def change(self, endpoint_id: str, **fields: Any) -> Endpoint:
        """Change these fields; `enabled=True` also resets the failures."""
        return self._run(calls.change(endpoint_id, fields, self._patience))

    def delete(self, endpoint_id: str) -> None:
        """Delete the endpoint and cancel its pending deliveries."""
        self._run(calls.delete(endpoint_id, self._patience))

    def rotate_secret(self, endpoint_id: str, overlap: str | None = None) -> Endpoint:
        """Create a new `secret`; the old one is valid for the overlap (`"24h"`, up to `"7d"`)."""
        return self._run(calls.rotate_secret(endpoint_id, overlap))

    def test(self, endpoint_id: str) -> Document:
        """Send an `endpoint.test` event; returns the queued delivery."""
        return self._run(calls.test(endpoint_id))

    def stats(self, endpoint_id: str) -> Document:
        """Return deliveries by state, `success_rate`, `failing_percent` and more."""
        return self._run(calls.stats(endpoint_id, self._patience))

    def recover(self, endpoint_id: str, since: datetime, until: datetime | None = None) -> int:
        """Send failed deliveries of that time again; returns their number."""
        steps = calls.send_again(endpoint_id, "recover", since, until, self._patience)
        return self._run(steps)

    def replay(self, endpoint_id: str, since: datetime, until: datetime | None = None) -> int:
        """Send events of that time that were never sent; returns their number."""
        steps = calls.send_again(endpoint_id, "replay", since, until, self._patience)
        return self._run(steps)

    def cancel_pending(self, endpoint_id: str) -> int:
        """Cancel all pending deliveries; returns their number."""
        return self._run(calls.cancel_pending(endpoint_id, self._patience))

    def deliveries(self, *, limit: int | None = None, **filters: str) -> Iterator[Document]:
        """Yield deliveries to endpoints and to jobs' own webhooks, newest first.

        Filters: `state`, `endpoint`, `job`, `type`, `created_after`, `created_before`.
        """
        pages = Pages(calls.deliveries, filters, limit)
        while not pages.done:
            yield from self._run(pages.next(self._patience))

    def resend(self, delivery_id: str) -> Document:
        """Send a delivery again at once, with the same event id."""
        return self._run(calls.resend(delivery_id))
