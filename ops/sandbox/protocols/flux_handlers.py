"""One face of Flux under one root: how an order is taken, looked at and canceled there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import engine
from ops.sandbox.dialect import Refusal
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.flux_renderers import FluxRenderer
from ops.sandbox.protocols.flux_requests import FieldError
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import ProviderProfile, TaskSubmission, UpstreamTask

VIDEO_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FluxSubmit:
    """What a submit asks for, whatever its form."""

    operation: str
    #: The model's own fields.
    said: dict[str, Any]
    callback_url: str
    faults: Iterable[FieldError]
    #: What the face wants to remember.
    details: Mapping[str, Any]


class FluxHandlers:
    """The endpoints of one face under one root; subclasses say where they are."""

    def __init__(self, station: Station, renderer: FluxRenderer, profile: ProviderProfile) -> None:
        self._station = station
        self._renderer = renderer
        self._profile = profile

    async def create(
        self, request: Request, read: Callable[[dict[str, Any]], FluxSubmit | None]
    ) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=True)
        if isinstance(account, Response):
            return engine.reject_key(self._station, account)
        body = await read_object(request)
        submit = None if body is None else read(body)
        if submit is None:
            reply = self._renderer.invalid("Input should be a valid dictionary")
            return engine.refuse(self._station, Refusal.INVALID, reply)
        if faults := [*submit.faults]:
            return engine.refuse(self._station, Refusal.INVALID, self._renderer.faulty(faults))
        return await engine.submit(
            self._station, self._renderer, self._submission(request, account, submit)
        )

    async def look(
        self, request: Request, name: str, renderer: FluxRenderer | None = None
    ) -> Response:
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        return await engine.look(
            self._station, renderer or self._renderer, self.find(name, account)
        )

    def find(self, name: str, account: str) -> UpstreamTask | None:
        """The task, if it is this account's and was ordered at this face."""
        task = self._station.task_store.get(name)
        if task is None or task.submission.details.get("renderer") is not self._renderer:
            return None
        return task if task.submission.account == account else None

    async def cancel(self, request: Request, name: str) -> UpstreamTask | Response:
        """The task, now canceled; else what the caller is told."""
        account = self._renderer.authenticate(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self.find(name, account)
        if task is None:
            return self._renderer.not_found()
        if not task.has_ended(self._station.clock.now()):
            self._station.end(task, canceled=True)
        return task

    def _submission(self, request: Request, account: str, submit: FluxSubmit) -> TaskSubmission:
        prompt = text_of(submit.said, "prompt")
        task_id = str(uuid4())
        seed = submit.said.get("seed")
        seconds = submit.said.get("duration")
        return TaskSubmission(
            profile=self._profile,
            task_id=task_id,
            operation=submit.operation,
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference="",
            base_url=base_url(self._station, request),
            callback_url=submit.callback_url,
            details={
                "renderer": self._renderer,
                "root": str(request.base_url).rstrip("/"),
                "seed": seed if isinstance(seed, int) else crc32(task_id.encode()),
                "seconds": float(seconds) if isinstance(seconds, int) else VIDEO_SECONDS,
                "format": text_of(submit.said, "output_format"),
                **submit.details,
            },
        )
