"""Flux's protocols: the vendor's, a relay of it, Replicate's, fal's, and OpenAI's form of it.

None carries a reference of the caller's own, so the ledger knows each task by its own id.

The vendor's tasks live on one cluster, under /us1: only the `polling_url` of the submit's answer
leads there, and the plain address knows tasks with a webhook only, whose answer has no such URL.
The relay answers under /flux and /bfl, and passes a `polling_url` on that it should not. Replicate
answers at its own paths and under /replicate. OpenAI's form is under /flux, because its plain path
means other models too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.protocols.flux_handlers import FluxHandlers, FluxSubmit
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
from ops.sandbox.station import Station
from ops.sandbox.tasks import ProviderProfile, UpstreamTask, View

CLUSTER = "/us1"


def callback_body(task: UpstreamTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task as the face which took the submit shows it."""
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


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint of every face."""
    return [
        *FluxVendorHandlers(station, FluxVendorRenderer(), PROFILE).routes(""),
        *FluxRelayHandlers(station, FluxRelayRenderer(), PROFILE).routes("/flux"),
        *FluxRelayHandlers(station, FluxRelayRenderer(), PROFILE).routes("/bfl"),
        *ReplicateHandlers(station, ReplicateRenderer(), REPLICATE_PROFILE).routes(""),
        *ReplicateHandlers(station, ReplicateRenderer(), REPLICATE_PROFILE).routes("/replicate"),
        *FalHandlers(station, FalRenderer(), FAL_PROFILE).routes(""),
        *FluxOpenAIHandlers(station, FluxOpenAIRenderer(station), REPLICATE_PROFILE).routes(
            "/flux"
        ),
    ]


class FluxVendorHandlers(FluxHandlers):
    """The vendor's paths."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        """Every endpoint; what is looked at most comes first."""
        return (
            SandboxRoute(f"{CLUSTER}/v1/get_result", self.on_cluster),
            SandboxRoute(f"{root}/v1/get_result", self.anywhere),
            *(self.submit_route(f"{root}/v1/{path}", name) for path, name in VENDOR_PATHS.items()),
        )

    def submit_route(self, path: str, operation: str) -> SandboxRoute:
        """The door where one kind of task is ordered."""

        async def create(request: Request) -> Response:
            polling_root = self.polling_root(request)

            def read(body: dict[str, Any]) -> FluxSubmit:
                return FluxSubmit(
                    operation=operation,
                    said=body,
                    callback_url=text_of(body, "webhook_url"),
                    faults=MODELS[operation].faults(body),
                    details={"polling_root": polling_root},
                )

            return await self.create(request, read)

        return SandboxRoute(path, create, methods=["POST"])

    def polling_root(self, request: Request) -> str:
        return str(request.base_url).rstrip("/") + CLUSTER

    async def on_cluster(self, request: Request) -> Response:
        return await self.look(request, request.query_params.get("id", ""))

    async def anywhere(self, request: Request) -> Response:
        name = request.query_params.get("id", "")
        task = self._station.task_store.get(name)
        known = task is not None and task.submission.callback_url
        return await self.look(request, name if known else "")


class FluxRelayHandlers(FluxVendorHandlers):
    """The vendor's paths under a relay's prefix."""

    def routes(self, root: str) -> Sequence[SandboxRoute]:
        return (
            SandboxRoute(f"{root}/v1/get_result", self.on_cluster),
            *(self.submit_route(f"{root}/v1/{path}", name) for path, name in VENDOR_PATHS.items()),
        )

    def polling_root(self, request: Request) -> str:
        return FOREIGN
