"""
The client for asyncio; `Client` is the same for ordinary code.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Self, TypeVar

import httpx
from httpx_sse import EventSource

from genq import calls
from genq.async_endpoints import AsyncEndpoints
from genq.batch import Batch
from genq.connection import PATIENCE, STREAM_TIMEOUT, TIMEOUT, http_settings
from genq.event import Event
from genq.job import Document, Job
from genq.steps import Pause, Send, StepResult, Steps
from genq.stream_state import StreamState

T = TypeVar("T")


class AsyncClient:
    """
    The API of one genq, with one API key. Every method raises a `GenqError` where it fails.

    `url` and `key` come from `GENQ_URL` and `GENQ_KEY` where they are not given, else from
    `client.json` in `GENQ_DATA_DIR` (usually `.genq`), which `genq up` and `genq demo` write; its
    key is sent to no other URL than the one it stands beside. Calls are repeated for `patience`
    seconds while the API is away or asks for patience; an order is taken once however often it is
    sent, for it always carries an idempotency key. Lives on one event loop.
    """

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
        """Where the API is."""
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
        webhook: str | None = None,
        events: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        deadline: str | float | None = None,
        priority: int | None = None,
        wait: float = 0,
        idempotency_key: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Job:
        """
        Order a job, as in `submit("kling.text2video", {"prompt": "a paper boat"})`. It is durable
        when this returns.

        `webhook` is told of its `events` (every ending, where none are named). `deadline` is a
        time, or how long as in `"10m"`. Of your jobs that wait, those with a higher `priority` (-10
        to 10) go first. With `wait` the API waits up to that many seconds (60 at
        most) for the end before it answers. The same `idempotency_key` orders the same job. `extra`
        are further fields of the order.
        """
        order = calls.build_order(
            operation,
            input,
            parent=parent,
            webhook=webhook,
            events=events,
            metadata=metadata,
            deadline=deadline,
            priority=priority,
            extra=extra,
        )
        return await self._run(calls.submit(order, idempotency_key, wait, self._patience))

    async def act(
        self,
        parent: str,
        action: str,
        input: Mapping[str, Any] | None = None,
        *,
        webhook: str | None = None,
        events: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        deadline: str | float | None = None,
        priority: int | None = None,
        wait: float = 0,
        idempotency_key: str | None = None,
    ) -> Job:
        """
        Order one of the follow-ups that a finished job lists in `actions`, as `U1`. The rest is as
        with `submit`.
        """
        order = calls.build_order(
            None,
            input,
            parent=parent,
            action=action,
            webhook=webhook,
            events=events,
            metadata=metadata,
            deadline=deadline,
            priority=priority,
        )
        return await self._run(calls.submit(order, idempotency_key, wait, self._patience))

    async def submit_batch(
        self,
        orders: Sequence[Mapping[str, Any]],
        *,
        each: bool = False,
        idempotency_key: str | None = None,
    ) -> Batch:
        """
        Order up to a hundred jobs together, each written by `genq.order`. All are taken, or none;
        with `each`, those that can be, and `rejected` names the others.
        """
        mode = "each" if each else "all_or_nothing"
        return await self._run(calls.submit_batch(orders, mode, idempotency_key, self._patience))

    async def get_batch(self, batch_id: str) -> Batch:
        """Where the jobs of a batch stand; `list(batch=batch_id)` has the jobs."""
        return await self._run(calls.get_batch(batch_id, self._patience))

    async def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel those of its jobs that have not ended."""
        return await self._run(calls.cancel_batch(batch_id, self._patience))

    async def get(self, job_id: str) -> Job:
        """The job as it is now."""
        return await self._run(calls.get(job_id, self._patience))

    async def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """The job at its end, however it ended. Raises `NotEnded` after `timeout` seconds."""
        return await self._run(calls.wait(job_id, timeout, self._patience))

    async def list(self, *, limit: int | None = None, **filters: str) -> AsyncGenerator[Job]:
        """Your jobs, newest first: `list(state="failed", provider="kling")`."""
        left = limit
        params = dict(filters)
        while left is None or left > 0:
            size = {"limit": str(min(left, calls.PAGE))} if left is not None else {}
            jobs, cursor = await self._run(calls.page(params | size, self._patience))
            for job in jobs:
                yield job
            left = None if left is None else left - len(jobs)
            if cursor is None:
                return
            params["cursor"] = cursor

    async def cancel(self, job_id: str) -> Job:
        """
        Cancel a job. Its state is `canceled` where it had not been sent; otherwise the upstream is
        being told, and `wait` tells how it ended. Raises `Refused` for one that has ended.
        """
        return await self._run(calls.cancel(job_id, self._patience))

    async def give_input(self, job_id: str, given: Mapping[str, Any]) -> Job:
        """Send a job that is `awaiting_input` what it waits for. Sent once."""
        return await self._run(calls.give_input(job_id, given))

    async def resolve(
        self, job_id: str, *, upstream_id: str | None = None, then: str | None = None
    ) -> Job:
        """
        Say what became of a job that is `in_doubt`, after a look at the station: its task is there
        under this `upstream_id`; or there is none, and `then` the job is to be sent again
        (`requeue`) or to fail (`fail`). Sent once. What is sent again may be paid twice if there
        was a task after all.
        """
        return await self._run(calls.resolve(job_id, upstream_id, then))

    async def erase(self, job_id: str) -> Job:
        """
        Erase the content of a job that has ended, for good: input, results, metadata. What is kept
        says when and where it was bought, and what it cost.
        """
        return await self._run(calls.erase(job_id, self._patience))

    def stream(self, job_id: str) -> AsyncGenerator[Event]:
        """What happens to a job, as it happens, up to its end; what has happened comes first."""
        state = StreamState(self._patience, to_the_end=True)
        return self._listen(calls.job_path(job_id, "stream"), state)

    def events(self, after: str | None = None) -> AsyncGenerator[Event]:
        """
        What happens to all your jobs: from now on, or after the event of the `cursor` given as
        `after`. Never ends.
        """
        return self._listen("/v1/events/stream", StreamState(self._patience, after=after))

    async def document(self, path: str, **params: str) -> Document:
        """Whatever the API has at a path, as in `document("/v1/operations")`."""
        return (await self._run(calls.document(path, params, self._patience))).document

    async def _run(self, steps: Steps[T]) -> T:
        """Perform the steps of a call."""
        answer: StepResult = None
        try:
            while True:
                answer = await self._perform(steps.send(answer))
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
