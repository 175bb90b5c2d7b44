"""The protocols the sandbox speaks: one module each, and one line here."""

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from ops.sandbox.protocols import kling, midjourney
from ops.sandbox.station import Station
from ops.sandbox.tasks import Trade

#: What each provider's tasks are like, and the routes that speak its protocol.
SPOKEN: tuple[tuple[Trade, Callable[[Station], Sequence[BaseRoute]]], ...] = (
    (midjourney.TRADE, midjourney.routes),
    (kling.TRADE, kling.routes),
)
