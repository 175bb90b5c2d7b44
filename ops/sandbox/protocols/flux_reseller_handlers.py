"""Handlers of Flux's resellers: Replicate, fal, and OpenAI's form."""

from collections.abc import Sequence
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox.handlers import SubmitCall
from ops.sandbox.protocols.flux_handlers import FluxHandlers
from ops.sandbox.protocols.flux_requests import (
    REPLICATE,
    VENDOR_PATHS,
    FieldError,
    fal_operation,
    reseller_errors,
)
from ops.sandbox.protocols.flux_reseller_renderers import FalResultRenderer
from ops.sandbox.replies import json_reply, text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.tasks import TaskSubmission


class ReplicateHandlers(FluxHandlers):
    """Replicate's predictions."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every route; the most polled path comes first."""
        one = f"{root}/v1/predictions/{{name}}"
        model = f"{root}/v1/models/black-forest-labs/{{model}}/predictions"
        return (
            self.poll_route(one),
            SandboxRoute(model, self.predict, methods=["POST"]),
            self.account_route(f"{one}/cancel", self.stop, "POST"),
        )

    async def predict(self, request: Request) -> Response:
        model = request.path_params["model"]
        operation = REPLICATE.get(model)
        if operation is None:
            return self.renderer.not_found()

        def read(call: SubmitCall) -> TaskSubmission | Response:
            given = call.body.get("input")
            if not isinstance(given, dict):
                return self.renderer.invalid(self.not_an_object)
            fields = cast("dict[str, Any]", given)
            errors, hook = reseller_errors(operation, fields), text_of(call.body, "webhook")
            details = {"model": model, "input": fields}
            return self.read(call, operation, fields, errors, details, callback_url=hook)

        return await self.submit(request, read)

    async def stop(self, request: Request, account: str) -> Response:
        found = self.cancel(request, account)
        if isinstance(found, Response):
            return found
        return self.renderer.found(found, self.station.view(found))


class FalHandlers(FluxHandlers):
    """fal's queue. A request's path names the application, not the model."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every route; the most polled path comes first."""
        one = f"{root}/fal-ai/{{app}}/requests/{{name}}"
        return (
            self.poll_route(f"{one}/status"),
            self.poll_route(one, FalResultRenderer()),
            self.account_route(f"{one}/cancel", self.stop, "PUT"),
            SandboxRoute(f"{root}/fal-ai/{{model:path}}", self.enqueue, methods=["POST"]),
        )

    async def enqueue(self, request: Request) -> Response:
        model = request.path_params["model"]
        operation = fal_operation(model)
        if operation is None:
            return self.renderer.not_found()
        hook = request.query_params.get("fal_webhook", "")

        def read(call: SubmitCall) -> TaskSubmission | Response:
            errors, details = (
                reseller_errors(operation, call.body),
                {"app": model.partition("/")[0]},
            )
            return self.read(call, operation, call.body, errors, details, callback_url=hook)

        return await self.submit(request, read)

    async def stop(self, request: Request, account: str) -> Response:
        found = self.cancel(request, account)
        if isinstance(found, Response):
            return found
        if not found.canceled:
            return json_reply({"status": "ALREADY_COMPLETED"}, 400)
        return json_reply({"status": "CANCELLATION_REQUESTED"}, 202)


class FluxOpenAIHandlers(FluxHandlers):
    """OpenAI's form: one path for every model."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """The only route."""
        return (self.submit_route(f"{root}/v1/images/generations", self.generate),)

    def generate(self, call: SubmitCall) -> TaskSubmission | Response:
        model = text_of(call.body, "model")
        known = VENDOR_PATHS.get(model) or ("schnell" if model == "flux-schnell" else "")
        errors = [*reseller_errors(known or "schnell", call.body)]
        if not known:
            errors.append(FieldError("model", f"{model} is not sold here", "value_error"))
        return self.read(call, known, call.body, errors, {})
