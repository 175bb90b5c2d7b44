"""The synchronous client; `AsyncClient` has the same methods for asyncio."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

import httpx
from httpx_sse import EventSource

from genq import calls
from genq.batch import Batch
from genq.calls import SubmitOptions
from genq.connection import PATIENCE, STREAM_TIMEOUT, TIMEOUT, http_settings
from genq.endpoints import Endpoints
from genq.event import Event
from genq.job import Document, Job
from genq.pages import Pages
from genq.steps import Pause, Send, StepResult, Steps
from genq.stream_state import StreamState

T = TypeVar("T")


class Client:
    """The API of one genq, with one API key.

    Every method may raise a `GenqError`.

    `url` and `key` default to `GENQ_URL` and `GENQ_KEY`, else to `client.json` in `GENQ_DATA_DIR`
    (by default `.genq`), which `genq up` and `genq demo` write; the key in that file is sent only
    to the URL beside it. Raises `ValueError` for an unusable URL or key. Calls are retried for
    `patience` seconds while the API is unreachable or asks to retry later; a retried submit creates
    one job, because it always carries an idempotency key. Threads may share a client.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        patience: float = PATIENCE,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._http = httpx.Client(**http_settings(url, key, timeout))
        self._patience = patience
        #: Webhook endpoints and deliveries.
        self.endpoints = Endpoints(self._run, patience)

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return str(self._http.base_url).rstrip("/")

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(
        self,
        operation: str,
        input: Mapping[str, Any] | None = None,
        *,
        parent: str | None = None,
        extra: Mapping[str, Any] | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Job:
        """Submit a job, for example `submit("kling.text2video", {"prompt": "a paper boat"})`.

        The job is stored durably once this returns. `parent` is the id of the job to follow up,
        and `extra` holds further fields of the request body. Raises `ValueError` or `TypeError`
        for arguments that no request can have.
        """
        steps = calls.submit(operation, input, options, self._patience, parent=parent, extra=extra)
        return self._run(steps)

    def act(
        self,
        parent: str,
        action: str,
        input: Mapping[str, Any] | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Job:
        """Submit a follow-up that a finished job lists in its `actions`, such as `U1`.

        Same options as `submit`.
        """
        steps = calls.submit(None, input, options, self._patience, parent=parent, action=action)
        return self._run(steps)

    def submit_batch(
        self,
        orders: Sequence[Mapping[str, Any]],
        *,
        each: bool = False,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Submit up to 100 jobs in one transaction, each built with `genq.order`.

        All are accepted or none. With `each`, valid jobs are accepted and `rejected` lists the
        others.
        """
        mode = "each" if each else "all_or_nothing"
        return self._run(calls.submit_batch(orders, mode, idempotency_key, self._patience))

    def get_batch(self, batch_id: str) -> Batch:
        """Return the states of a batch's jobs; `list(batch=batch_id)` has the jobs."""
        return self._run(calls.get_batch(batch_id, self._patience))

    def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel the batch's unfinished jobs."""
        return self._run(calls.cancel_batch(batch_id, self._patience))

    def get(self, job_id: str) -> Job:
        """Return the job's current state. Raises `NotFound`."""
        return self._run(calls.get(job_id, self._patience))

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """Return the job once it has ended, in whichever state.

        Raises `NotEnded` after `timeout` seconds; the job continues.
        """
        return self._run(calls.wait(job_id, timeout, self._patience))

    def list(self, *, limit: int | None = None, **filters: str) -> Iterator[Job]:
        """Yield your jobs, newest first: `list(state="failed", provider="kling")`."""
        pages = Pages(calls.page, filters, limit)
        while not pages.done:
            yield from self._run(pages.next(self._patience))

    def cancel(self, job_id: str) -> Job:
        """Cancel a job.

        Its state is `canceled` if it had not been submitted. Otherwise it is being canceled
        upstream; `wait` returns its end. Raises `Refused` if it has ended.
        """
        return self._run(calls.cancel(job_id, self._patience))

    def give_input(self, job_id: str, given: Mapping[str, Any]) -> Job:
        """Send the input of a job that is `awaiting_input`. Not retried."""
        return self._run(calls.give_input(job_id, given))

    def resolve(
        self, job_id: str, *, upstream_id: str | None = None, then: str | None = None
    ) -> Job:
        """Settle a job that is `in_doubt`, after checking the station.

        Give the `upstream_id` of its task, or `then` if there is none: `requeue` submits the job
        again, which pays twice if there was a task after all; `fail` fails it. Not retried. Raises
        `ValueError` unless exactly one is given.
        """
        return self._run(calls.resolve(job_id, upstream_id, then))

    def erase(self, job_id: str) -> Job:
        """Permanently erase the input, results and metadata of an ended job.

        What remains is when and where it was submitted and whether it was billed.
        """
        return self._run(calls.erase(job_id, self._patience))

    def stream(self, job_id: str) -> Iterator[Event]:
        """Yield the events of a job, past ones first, until it ends."""
        state = StreamState(self._patience, to_the_end=True)
        return self._listen(calls.job_path(job_id, "stream"), state)

    def events(self, after: str | None = None) -> Iterator[Event]:
        """Yield the events of all your jobs, from now on or after an event's `cursor`. Endless."""
        return self._listen("/v1/events/stream", StreamState(self._patience, after=after))

    def document(self, path: str, **params: str) -> Document:
        """Return the JSON object at a path, for example `document("/v1/operations")`."""
        return self._run(calls.document(path, params, self._patience)).document

    def _run(self, steps: Steps[T]) -> T:
        """Perform the steps of a call and return its result."""
        result: StepResult = None
        try:
            while True:
                result = self._perform(steps.send(result))
        except StopIteration as end:
            return end.value

    def _perform(self, step: Send | Pause) -> StepResult:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(
                step.method,
                step.path,
                params=step.params,
                content=calls.encode_body(step),
                headers=step.headers,
            )
        except httpx.TransportError as error:
            return error

    def _listen(self, path: str, state: StreamState) -> Iterator[Event]:
        while not state.done:
            try:
                with self._http.stream(
                    "GET", path, headers=state.headers, timeout=STREAM_TIMEOUT
                ) as response:
                    if not response.is_success:
                        response.read()
                    pause = state.check(response)
                    if pause is None:
                        for message in EventSource(response).iter_sse():
                            if event := state.read_message(message):
                                yield event
                        pause = state.connection_lost()
            except httpx.TransportError as error:
                pause = state.connection_lost(error)
            if not state.done:
                time.sleep(pause)
