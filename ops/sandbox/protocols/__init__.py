"""The protocols the sandbox speaks: one module each, and one line here."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ops.sandbox.doors import Door
from ops.sandbox.protocols import balances, flux, kling, luma, midjourney, openai, suno
from ops.sandbox.replies import read_object
from ops.sandbox.station import Station
from ops.sandbox.tasks import Trade

#: What each provider's tasks are like, and the routes that speak its protocol.
SPOKEN: tuple[tuple[Trade, Callable[[Station], Sequence[BaseRoute]]], ...] = (
    (midjourney.TRADE, midjourney.routes),
    (kling.TRADE, kling.routes),
    (luma.TRADE, luma.routes),
    (suno.TRADE, suno.routes),
    (flux.TRADE, flux.routes),
    (openai.TRADE, openai.routes),
)


#: Where OpenAI's form orders pictures, and Kling at its vendor does too.
PICTURES = "/v1/images/generations"


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every endpoint of every protocol, the shared one first."""
    spoken = [route for _, routes in SPOKEN for route in routes(station)]
    spoken += balances.routes(station)
    ordered = [
        route
        for route in spoken
        if isinstance(route, Route) and route.path == PICTURES and "POST" in (route.methods or ())
    ]
    return [_shared(*ordered), *spoken]


def _shared(kling_door: Route, openai_door: Route) -> Door:
    """One door for both: only OpenAI's form names a `model`."""

    async def create(request: Request) -> Response:
        body = await read_object(request)
        door = openai_door if body is not None and "model" in body else kling_door
        return await door.endpoint(request)

    return Door(PICTURES, create, methods=["POST"])


def typical_seconds() -> dict[str, float]:
    """Typical sandbox seconds of every operation there is, by `provider.operation`."""
    return {
        f"{trade.provider}.{operation}": seconds
        for trade, _ in SPOKEN
        for operation, seconds in trade.typical_seconds.items()
    }
