"""The protocols the sandbox speaks: one module each, and one line here."""

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from ops.sandbox.protocols import flux, kling, luma, midjourney, suno
from ops.sandbox.station import Station
from ops.sandbox.tasks import Trade

#: What each provider's tasks are like, and the routes that speak its protocol.
SPOKEN: tuple[tuple[Trade, Callable[[Station], Sequence[BaseRoute]]], ...] = (
    (midjourney.TRADE, midjourney.routes),
    (kling.TRADE, kling.routes),
    (luma.TRADE, luma.routes),
    (suno.TRADE, suno.routes),
    (flux.TRADE, flux.routes),
)


def typical_seconds() -> dict[str, float]:
    """Typical sandbox seconds of every operation there is, by `provider.operation`."""
    return {
        f"{trade.provider}.{operation}": seconds
        for trade, _ in SPOKEN
        for operation, seconds in trade.typical_seconds.items()
    }
