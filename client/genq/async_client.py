"""The asyncio client; `Client` describes its methods."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

import httpx
from httpx_sse import EventSource

from genq import calls
from genq.async_endpoints import AsyncEndpoints
from genq.batch import Batch
from genq.calls import SubmitOptions
from genq.client import Client
from genq.connection import PATIENCE, STREAM_TIMEOUT, TIMEOUT, http_settings
from genq.docstrings import documented_like
from genq.event import Event
from genq.job import Document, Job
from genq.pages import Pages
from genq.steps import Pause, Send, StepResult, Steps
from genq.stream_state import StreamState

T = TypeVar("T")


@documented_like(Client)
class AsyncClient:
    """`Client` for asyncio: the same arguments and methods, awaited. Lives on one event loop."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        patience: float = PATIENCE,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._http = httpx.AsyncClient(**http_settings(url, key, timeout))
        self._patience = patience
        #: Webhook endpoints and deliveries.
        self.endpoints = AsyncEndpoints(self._run, patience)

    @property
    def url(self) -> str:
        return str(self._http.base_url).rstrip("/")

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def submit(
        self,
        operation: str,
        input: Mapping[str, Any] | None = None,
        *,
        parent: str | None = None,
        extra: Mapping[str, Any] | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Job:
        steps = calls.submit(operation, input, options, self._patience, parent=parent, extra=extra)
        return await self._run(steps)

    async def act(
        self,
        parent: str,
        action: str,
        input: Mapping[str, Any] | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Job:
        steps = calls.submit(None, input, options, self._patience, parent=parent, action=action)
        return await self._run(steps)

    async def submit_batch(
        self,
        orders: Sequence[Mapping[str, Any]],
        *,
        each: bool = False,
        idempotency_key: str | None = None,
    ) -> Batch:
        mode = "each" if each else "all_or_nothing"
        return await self._run(calls.submit_batch(orders, mode, idempotency_key, self._patience))

    async def get_batch(self, batch_id: str) -> Batch:
        return await self._run(calls.get_batch(batch_id, self._patience))

    async def cancel_batch(self, batch_id: str) -> Batch:
        return await self._run(calls.cancel_batch(batch_id, self._patience))

    async def get(self, job_id: str) -> Job:
        return await self._run(calls.get(job_id, self._patience))

    async def wait(self, job_id: str, timeout: float | None = None) -> Job:
        return await self._run(calls.wait(job_id, timeout, self._patience))

    async def list(self, *, limit: int | None = None, **filters: str) -> AsyncGenerator[Job]:
        pages = Pages(calls.page, filters, limit)
        while not pages.done:
            for item in await self._run(pages.next(self._patience)):
                yield item

    async def cancel(self, job_id: str) -> Job:
        return await self._run(calls.cancel(job_id, self._patience))

    async def give_input(self, job_id: str, given: Mapping[str, Any]) -> Job:
        return await self._run(calls.give_input(job_id, given))

    async def resolve(
        self, job_id: str, *, upstream_id: str | None = None, then: str | None = None
    ) -> Job:
        return await self._run(calls.resolve(job_id, upstream_id, then))

    async def erase(self, job_id: str) -> Job:
        return await self._run(calls.erase(job_id, self._patience))

    def stream(self, job_id: str) -> AsyncGenerator[Event]:
        state = StreamState(self._patience, to_the_end=True)
        return self._listen(calls.job_path(job_id, "stream"), state)

    def events(self, after: str | None = None) -> AsyncGenerator[Event]:
        return self._listen("/v1/events/stream", StreamState(self._patience, after=after))

    async def document(self, path: str, **params: str) -> Document:
        return (await self._run(calls.document(path, params, self._patience))).document

    async def _run(self, steps: Steps[T]) -> T:
        result: StepResult = None
        try:
            while True:
                result = await self._perform(steps.send(result))
        except StopIteration as end:
            return end.value

    async def _perform(self, step: Send | Pause) -> StepResult:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.request(
                step.method,
                step.path,
                params=step.params,
                content=calls.encode_body(step),
                headers=step.headers,
            )
        except httpx.TransportError as error:
            return error

    async def _listen(self, path: str, state: StreamState) -> AsyncGenerator[Event]:
        while not state.done:
            try:
                async with self._http.stream(
                    "GET", path, headers=state.headers, timeout=STREAM_TIMEOUT
                ) as response:
                    if not response.is_success:
                        await response.aread()
                    pause = state.check(response)
                    if pause is None:
                        async for message in EventSource(response).aiter_sse():
                            if event := state.read_message(message):
                                yield event
                        pause = state.connection_lost()
            except httpx.TransportError as error:
                pause = state.connection_lost(error)
            if not state.done:
                await asyncio.sleep(pause)
