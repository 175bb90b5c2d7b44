"""Flux's protocols: the vendor's, a relay of it, Replicate's, fal's, and OpenAI's form of it.

None carries a reference of the caller's own, so the ledger knows each task by its own id.

The vendor's tasks live on one cluster, under /us1: only the `polling_url` of the submit's answer
leads there, and the plain address knows tasks with a webhook only, whose answer has no such URL.
The relay answers under /flux and /bfl, and passes a `polling_url` on that it should not. Replicate
answers at its own paths and under /replicate. OpenAI's form is under /flux, because its plain path
means other models too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import uuid4
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox import desk
from ops.sandbox.dialect import Refusal
from ops.sandbox.doors import Door
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.flux_faces import FOREIGN, FluxFace, Relay, Vendor
from ops.sandbox.protocols.flux_requests import (
    MODELS,
    REPLICATE,
    VENDOR_PATHS,
    Fault,
    fal_operation,
    resold_faults,
)
from ops.sandbox.protocols.flux_resellers import FalFace, FalResultFace, OpenAIFace, ReplicateFace
from ops.sandbox.replies import json_reply, read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Order, Trade, UpstreamTask, View

VIDEO_SECONDS = 5.0
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


@dataclass(frozen=True, slots=True)
class Wish:
    """What a submit asks for, whatever its form."""

    operation: str
    #: The model's own fields.
    said: dict[str, Any]
    callback_url: str
    faults: Iterable[Fault]
    #: What the face wants to remember.
    details: Mapping[str, Any]


class Window:
    """The endpoints of one face under one root; subclasses say where they are."""

    def __init__(self, station: Station, face: FluxFace, trade: Trade) -> None:
        self._station = station
        self._face = face
        self._trade = trade

    async def create(
        self, request: Request, read: Callable[[dict[str, Any]], Wish | None]
    ) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=True)
        if isinstance(account, Response):
            return desk.turn_away(self._station, account)
        body = await read_object(request)
        wish = None if body is None else read(body)
        if wish is None:
            reply = self._face.invalid("Input should be a valid dictionary")
            return desk.refuse(self._station, Refusal.INVALID, reply)
        if faults := [*wish.faults]:
            return desk.refuse(self._station, Refusal.INVALID, self._face.faulty(faults))
        return await desk.submit(self._station, self._face, self._order(request, account, wish))

    async def look(self, request: Request, name: str, face: FluxFace | None = None) -> Response:
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        return await desk.look(self._station, face or self._face, self.find(name, account))

    def find(self, name: str, account: str) -> UpstreamTask | None:
        """The task, if it is this account's and was ordered at this face."""
        task = self._station.board.get(name)
        if task is None or task.order.details.get("face") is not self._face:
            return None
        return task if task.order.account == account else None

    async def cancel(self, request: Request, name: str) -> UpstreamTask | Response:
        """The task, now canceled; else what the caller is told."""
        account = self._face.enter(request.headers, self._station.config, submits=False)
        if isinstance(account, Response):
            return account
        task = self.find(name, account)
        if task is None:
            return self._face.not_found()
        if not task.has_ended(self._station.clock.now()):
            self._station.end(task, canceled=True)
        return task

    def _order(self, request: Request, account: str, wish: Wish) -> Order:
        prompt = text_of(wish.said, "prompt")
        task_id = str(uuid4())
        seed = wish.said.get("seed")
        seconds = wish.said.get("duration")
        return Order(
            trade=self._trade,
            task_id=task_id,
            operation=wish.operation,
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference="",
            base_url=base_url(self._station, request),
            callback_url=wish.callback_url,
            details={
                "face": self._face,
                "root": str(request.base_url).rstrip("/"),
                "seed": seed if isinstance(seed, int) else crc32(task_id.encode()),
                "seconds": float(seconds) if isinstance(seconds, int) else VIDEO_SECONDS,
                "format": text_of(wish.said, "output_format"),
                **wish.details,
            },
        )


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


class ReplicateWindow(Window):
    """Replicate's paths."""

    def doors(self, root: str) -> Sequence[Door]:
        """Every endpoint; what is looked at most comes first."""
        one = f"{root}/v1/predictions/{{name}}"
        model = f"{root}/v1/models/black-forest-labs/{{model}}/predictions"
        return (
            Door(one, self.query),
            Door(model, self.predict, methods=["POST"]),
            Door(f"{one}/cancel", self.stop, methods=["POST"]),
        )

    async def predict(self, request: Request) -> Response:
        model = request.path_params["model"]
        operation = REPLICATE.get(model)
        if operation is None:
            return self._face.not_found()

        def read(body: dict[str, Any]) -> Wish | None:
            said = body.get("input")
            if not isinstance(said, dict):
                return None
            asked = cast("dict[str, Any]", said)
            faults = resold_faults(operation, asked)
            details = {"model": model, "input": asked}
            return Wish(operation, asked, text_of(body, "webhook"), faults, details)

        return await self.create(request, read)

    async def query(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"])

    async def stop(self, request: Request) -> Response:
        found = await self.cancel(request, request.path_params["name"])
        if isinstance(found, Response):
            return found
        return self._face.found(found, self._station.view(found))


class FalWindow(Window):
    """fal's queue. Requests stand under an application, whichever of its models made them."""

    def doors(self, root: str) -> Sequence[Door]:
        """Every endpoint; what is looked at most comes first."""
        one = f"{root}/fal-ai/{{app}}/requests/{{name}}"
        return (
            Door(f"{one}/status", self.status),
            Door(one, self.result),
            Door(f"{one}/cancel", self.stop, methods=["PUT"]),
            Door(f"{root}/fal-ai/{{model:path}}", self.enqueue, methods=["POST"]),
        )

    async def enqueue(self, request: Request) -> Response:
        model = request.path_params["model"]
        operation = fal_operation(model)
        if operation is None:
            return self._face.not_found()
        hook = request.query_params.get("fal_webhook", "")

        def read(body: dict[str, Any]) -> Wish:
            details = {"app": model.partition("/")[0]}
            return Wish(operation, body, hook, resold_faults(operation, body), details)

        return await self.create(request, read)

    async def status(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"])

    async def result(self, request: Request) -> Response:
        return await self.look(request, request.path_params["name"], FalResultFace())

    async def stop(self, request: Request) -> Response:
        found = await self.cancel(request, request.path_params["name"])
        if isinstance(found, Response):
            return found
        if not found.canceled:
            return json_reply({"status": "ALREADY_COMPLETED"}, 400)
        return json_reply({"status": "CANCELLATION_REQUESTED"}, 202)


class OpenAIWindow(Window):
    """One path for every model."""

    def doors(self, root: str) -> Sequence[Door]:
        """The one endpoint."""
        return (Door(f"{root}/v1/images/generations", self.generate, methods=["POST"]),)

    async def generate(self, request: Request) -> Response:
        def read(body: dict[str, Any]) -> Wish:
            model = text_of(body, "model")
            known = VENDOR_PATHS.get(model) or ("schnell" if model == "flux-schnell" else "")
            faults = [*resold_faults(known or "schnell", body)]
            if not known:
                faults.append(Fault("model", f"{model} is not sold here", "value_error"))
            return Wish(known or "schnell", body, "", faults, {})

        return await self.create(request, read)
