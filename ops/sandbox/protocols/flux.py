"""Flux's protocols: the vendor's, a relay of it, Replicate's, fal's, and OpenAI's form of it.

None carries a reference of the caller's own, so the ledger knows each task by its own id.

The vendor's tasks live on one cluster, under /us1. Only the `polling_url` in the response to a
submit leads there; the plain address knows only tasks with a webhook, whose response has no such
URL. The relay answers under /flux and /bfl, and passes on a `polling_url` that callers cannot
reach. Replicate answers at its own paths and under /replicate. OpenAI's form is under /flux,
because its plain path serves other models too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.handlers import SubmitCall
from ops.sandbox.protocols.flux_handlers import FluxHandlers
from ops.sandbox.protocols.flux_renderers import (
    FOREIGN,
    FluxRelayRenderer,
    FluxRenderer,
    FluxVendorRenderer,
)
from ops.sandbox.protocols.flux_requests import MODELS, VENDOR_PATHS
from ops.sandbox.protocols.flux_reseller_handlers import (
    FalHandlers,
    FluxOpenAIHandlers,
    ReplicateHandlers,
)
from ops.sandbox.protocols.flux_reseller_renderers import (
    FalRenderer,
    FluxOpenAIRenderer,
    ReplicateRenderer,
)
from ops.sandbox.replies import text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import ProviderProfile, SandboxTask, TaskSubmission, View

CLUSTER = "/us1"


def callback_body(task: SandboxTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task as the renderer that took the submit shows it."""
    renderer: FluxRenderer = task.submission.details["renderer"]
    return renderer.task(task, seen)


PROFILE = ProviderProfile(
    provider="flux",
    typical_seconds={name: model.typical_seconds for name, model in MODELS.items()},
    queues=False,
    unique_references=False,
    asset_life_seconds=600.0,
    callback_body=callback_body,
)
REPLICATE_PROFILE = replace(PROFILE, asset_life_seconds=3600.0)
FAL_PROFILE = replace(PROFILE, asset_life_seconds=7 * 24 * 3600.0)


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every route of Flux's protocols."""
    openai = FluxOpenAIRenderer(station)
    return [
        *FluxVendorHandlers(station, FluxVendorRenderer(), PROFILE).routes(""),
        *FluxRelayHandlers(station, FluxRelayRenderer(), PROFILE).routes("/flux"),
        *FluxRelayHandlers(station, FluxRelayRenderer(), PROFILE).routes("/bfl"),
        *ReplicateHandlers(station, ReplicateRenderer(), REPLICATE_PROFILE).routes(""),
        *ReplicateHandlers(station, ReplicateRenderer(), REPLICATE_PROFILE).routes("/replicate"),
        *FalHandlers(station, FalRenderer(), FAL_PROFILE).routes(""),
        *FluxOpenAIHandlers(station, openai, REPLICATE_PROFILE).routes("/flux"),
    ]


def _queried_id(request: Request) -> str:
    return request.query_params.get("id", "")


class FluxVendorHandlers(FluxHandlers):
    """The vendor's paths."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every route; the most polled path comes first."""
        return (
            self.poll_route(f"{CLUSTER}/v1/get_result", name_of=_queried_id),
            self.poll_route(f"{root}/v1/get_result", name_of=self._id_with_webhook),
            *self.submit_routes(root),
        )

    def submit_routes(self, root: str) -> Sequence[SandboxRoute]:
        """One route for each model."""
        return [self.model_route(f"{root}/v1/{path}", name) for path, name in VENDOR_PATHS.items()]

    def model_route(self, path: str, operation: str) -> SandboxRoute:
        """The route that takes one model's submits."""

        def read(call: SubmitCall) -> TaskSubmission | Response:
            errors, hook = MODELS[operation].faults(call.body), text_of(call.body, "webhook_url")
            details = {"polling_root": self.polling_root(call.request)}
            return self.read(call, operation, call.body, errors, details, callback_url=hook)

        return self.submit_route(path, read)

    def polling_root(self, request: Request) -> str:
        """The root of the `polling_url` in responses."""
        return str(request.base_url).rstrip("/") + CLUSTER

    def _id_with_webhook(self, request: Request) -> str:
        task = self.station.task_store.get(_queried_id(request))
        return task.id if task is not None and task.submission.callback_url else ""


class FluxRelayHandlers(FluxVendorHandlers):
    """The vendor's paths under a relay's prefix."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        on_cluster = self.poll_route(f"{root}/v1/get_result", name_of=_queried_id)
        return (on_cluster, *self.submit_routes(root))

    def polling_root(self, request: Request) -> str:
        return FOREIGN
