"""The endpoints of those who sell Flux beside the vendor: Replicate, fal, and OpenAI's form."""

from collections.abc import Sequence
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox.protocols.flux_handlers import FluxHandlers, FluxSubmit
from ops.sandbox.protocols.flux_requests import (
    REPLICATE,
    VENDOR_PATHS,
    FieldError,
    fal_operation,
    resold_faults,
)
from ops.sandbox.protocols.flux_reseller_renderers import FalResultRenderer
from ops.sandbox.replies import json_reply, text_of
from ops.sandbox.routes import SandboxRoute


class ReplicateHandlers(FluxHandlers):
    """Replicate's paths."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every endpoint; what is looked at most comes first."""
        one = f"{root}/v1/predictions/{{name}}"
        model = f"{root}/v1/models/black-forest-labs/{{model}}/predictions"
        return (
            SandboxRoute(one, self.query),
            SandboxRoute(model, self.predict, methods=["POST"]),
            SandboxRoute(f"{one}/cancel", self.stop, methods=["POST"]),
        )

    async def predict(self, request: Request) -> Response:
        model = request.path_params["model"]
        operation = REPLICATE.get(model)
        if operation is None:
            return self._renderer.not_found()

        def read(body: dict[str, Any]) -> FluxSubmit | None:
            said = body.get("input")
            if not isinstance(said, dict):
                return None
            asked = cast("dict[str, Any]", said)
            faults = resold_faults(operation, asked)
            details = {"model": model, "input": asked}
            return FluxSubmit(operation, asked, text_of(body, "webhook"), faults, details)

        return await self.create(request, read)

    async def query(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"])

    async def stop(self, request: Request) -> Response:
        found = await self.cancel(request, request.path_params["name"])
        if isinstance(found, Response):
            return found
        return self._renderer.found(found, self._station.view(found))


class FalHandlers(FluxHandlers):
    """fal's queue. Requests stand under an application, whichever of its models made them."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every endpoint; what is looked at most comes first."""
        one = f"{root}/fal-ai/{{app}}/requests/{{name}}"
        return (
            SandboxRoute(f"{one}/status", self.status),
            SandboxRoute(one, self.result),
            SandboxRoute(f"{one}/cancel", self.stop, methods=["PUT"]),
            SandboxRoute(f"{root}/fal-ai/{{model:path}}", self.enqueue, methods=["POST"]),
        )

    async def enqueue(self, request: Request) -> Response:
        model = request.path_params["model"]
        operation = fal_operation(model)
        if operation is None:
            return self._renderer.not_found()
        hook = request.query_params.get("fal_webhook", "")

        def read(body: dict[str, Any]) -> FluxSubmit:
            details = {"app": model.partition("/")[0]}
            return FluxSubmit(operation, body, hook, resold_faults(operation, body), details)

        return await self.create(request, read)

    async def status(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"])

    async def result(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"], FalResultRenderer())

    async def stop(self, request: Request) -> Response:
        found = await self.cancel(request, request.path_params["name"])
        if isinstance(found, Response):
            return found
        if not found.canceled:
            return json_reply({"status": "ALREADY_COMPLETED"}, 400)
        return json_reply({"status": "CANCELLATION_REQUESTED"}, 202)


class FluxOpenAIHandlers(FluxHandlers):
    """One path for every model."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """The one endpoint."""
        return (SandboxRoute(f"{root}/v1/images/generations", self.generate, methods=["POST"]),)

    async def generate(self, request: Request) -> Response:
        def read(body: dict[str, Any]) -> FluxSubmit:
            model = text_of(body, "model")
            known = VENDOR_PATHS.get(model) or ("schnell" if model == "flux-schnell" else "")
            faults = [*resold_faults(known or "schnell", body)]
            if not known:
                faults.append(FieldError("model", f"{model} is not sold here", "value_error"))
            return FluxSubmit(known or "schnell", body, "", faults, {})

        return await self.create(request, read)
