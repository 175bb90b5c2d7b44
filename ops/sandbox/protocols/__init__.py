"""The protocols of the sandbox: one module each, and one line here."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ops.sandbox.protocols import balances, flux, kling, luma, midjourney, openai, suno
from ops.sandbox.replies import read_object
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import ProviderProfile

#: The profile of each provider's tasks, and the routes of its protocols.
PROTOCOLS: tuple[tuple[ProviderProfile, Callable[[SandboxStation], Sequence[BaseRoute]]], ...] = (
    (midjourney.PROFILE, midjourney.routes),
    (kling.PROFILE, kling.routes),
    (luma.PROFILE, luma.routes),
    (suno.PROFILE, suno.routes),
    (flux.PROFILE, flux.routes),
    (openai.PROFILE, openai.routes),
)


#: The path of image submits both in OpenAI's form and in Kling's API.
PICTURES = "/v1/images/generations"


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every route of every protocol, the shared one first."""
    every_route = [route for _, routes in PROTOCOLS for route in routes(station)]
    every_route += balances.routes(station)
    ordered = [
        route
        for route in every_route
        if isinstance(route, Route) and route.path == PICTURES and "POST" in (route.methods or ())
    ]
    return [_shared(*ordered), *every_route]


def _shared(kling_route: Route, openai_route: Route) -> SandboxRoute:
    """One route for both: only OpenAI's form has a `model` in the body."""

    async def create(request: Request) -> Response:
        body = await read_object(request)
        route = openai_route if body is not None and "model" in body else kling_route
        return await route.endpoint(request)

    return SandboxRoute(PICTURES, create, methods=["POST"])


def typical_seconds() -> dict[str, float]:
    """Typical sandbox seconds of every operation, by `provider.operation`."""
    return {
        f"{profile.provider}.{operation}": seconds
        for profile, _ in PROTOCOLS
        for operation, seconds in profile.typical_seconds.items()
    }
