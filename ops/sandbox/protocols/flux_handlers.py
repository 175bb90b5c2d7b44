"""Base of Flux's handlers: how a submit becomes a task, and how a task is canceled."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox.handlers import ProtocolHandlers, SubmitCall
from ops.sandbox.protocols.flux_renderers import FluxRenderer
from ops.sandbox.protocols.flux_requests import FieldError
from ops.sandbox.replies import text_of
from ops.sandbox.tasks import SandboxTask, TaskSubmission

VIDEO_SECONDS = 5.0


class FluxHandlers(ProtocolHandlers[FluxRenderer]):
    """Handlers of one renderer under one root; subclasses list the routes."""

    def read(
        self,
        call: SubmitCall,
        operation: str,
        fields: dict[str, Any],
        errors: Iterable[FieldError],
        details: Mapping[str, Any],
        *,
        callback_url: str = "",
    ) -> TaskSubmission | Response:
        """The submission of a model's own `fields`, or the response that lists `errors`."""
        if listed := [*errors]:
            return self.renderer.field_errors(listed)
        task_id = str(uuid4())
        seed, seconds = fields.get("seed"), fields.get("duration")
        known = {
            "root": str(call.request.base_url).rstrip("/"),
            "seed": seed if isinstance(seed, int) else crc32(task_id.encode()),
            "seconds": float(seconds) if isinstance(seconds, int) else VIDEO_SECONDS,
            "format": text_of(fields, "output_format"),
        }
        return self.submission(
            call.request,
            call.account,
            operation,
            text_of(fields, "prompt"),
            {**known, **details},
            task_id=task_id,
            callback_url=callback_url,
        )

    def cancel(self, request: Request, account: str) -> SandboxTask | Response:
        """The task in the path, which has ended by now, or the response that it is unknown."""
        task = self.find(request, request.path_params["name"], account)
        if task is None:
            return self.renderer.not_found()
        if not task.has_ended(self.station.clock.now()):
            self.station.end(task, canceled=True)
        return task
