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

from ops.sandbox.doors import Door
from ops.sandbox.protocols.flux_faces import FOREIGN, FluxFace, Relay, Vendor
from ops.sandbox.protocols.flux_requests import MODELS, VENDOR_PATHS
from ops.sandbox.protocols.flux_resellers import FalFace, OpenAIFace, ReplicateFace
from ops.sandbox.protocols.flux_resold import FalWindow, OpenAIWindow, ReplicateWindow
from ops.sandbox.protocols.flux_window import Window, Wish
from ops.sandbox.replies import text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Trade, UpstreamTask, View

CLUSTER = "/us1"


def tell(task: UpstreamTask, seen: View) -> Mapping[str, object]:
    """A callback's body: the task as the face which took the submit shows it."""
    face: FluxFace = task.order.details["face"]
    return face.task(task, seen)


TRADE = Trade(
    provider="flux",
    typical_seconds={name: model.typical_seconds for name, model in MODELS.items()},
    queues=False,
    unique_references=False,
    asset_life_seconds=600.0,
    tell=tell,
)
REPLICATE_TRADE = replace(TRADE, asset_life_seconds=3600.0)
FAL_TRADE = replace(TRADE, asset_life_seconds=7 * 24 * 3600.0)


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint of every face."""
    return [
        *VendorWindow(station, Vendor(), TRADE).doors(""),
        *RelayWindow(station, Relay(), TRADE).doors("/flux"),
        *RelayWindow(station, Relay(), TRADE).doors("/bfl"),
        *ReplicateWindow(station, ReplicateFace(), REPLICATE_TRADE).doors(""),
        *ReplicateWindow(station, ReplicateFace(), REPLICATE_TRADE).doors("/replicate"),
        *FalWindow(station, FalFace(), FAL_TRADE).doors(""),
        *OpenAIWindow(station, OpenAIFace(station), REPLICATE_TRADE).doors("/flux"),
    ]


class VendorWindow(Window):
    """The vendor's paths."""

    def doors(self, root: str) -> Sequence[Door]:
        """Every endpoint; what is looked at most comes first."""
        return (
            Door(f"{CLUSTER}/v1/get_result", self.on_cluster),
            Door(f"{root}/v1/get_result", self.anywhere),
            *(self.door(f"{root}/v1/{path}", name) for path, name in VENDOR_PATHS.items()),
        )

    def door(self, path: str, operation: str) -> Door:
        """The door where one kind of task is ordered."""

        async def create(request: Request) -> Response:
            polling_root = self.polling_root(request)

            def read(body: dict[str, Any]) -> Wish:
                return Wish(
                    operation=operation,
                    said=body,
                    callback_url=text_of(body, "webhook_url"),
                    faults=MODELS[operation].faults(body),
                    details={"polling_root": polling_root},
                )

            return await self.create(request, read)

        return Door(path, create, methods=["POST"])

    def polling_root(self, request: Request) -> str:
        return str(request.base_url).rstrip("/") + CLUSTER

    async def on_cluster(self, request: Request) -> Response:
        return await self.look(request, request.query_params.get("id", ""))

    async def anywhere(self, request: Request) -> Response:
        name = request.query_params.get("id", "")
        task = self._station.board.get(name)
        known = task is not None and task.order.callback_url
        return await self.look(request, name if known else "")


class RelayWindow(VendorWindow):
    """The vendor's paths under a relay's prefix."""

    def doors(self, root: str) -> Sequence[Door]:
        return (
            Door(f"{root}/v1/get_result", self.on_cluster),
            *(self.door(f"{root}/v1/{path}", name) for path, name in VENDOR_PATHS.items()),
        )

    def polling_root(self, request: Request) -> str:
        return FOREIGN
