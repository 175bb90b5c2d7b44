"""What is left of an account, as relays of the new-api kind and three vendors tell it.

An account has used up a quarter of what it was granted; one without credit, all of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.accounts import KeyState, key_state_of
from ops.sandbox.config import SandboxConfig
from ops.sandbox.protocols import kling_envelope
from ops.sandbox.protocols.flux_renderers import FluxRelayRenderer, FluxVendorRenderer
from ops.sandbox.protocols.luma_renderers import LumaDreamMachineRenderer
from ops.sandbox.replies import json_reply
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import Station

GRANTED = 100.0
LEFT = 75.0


class Entrance(Protocol):
    """Whoever lets keys in, or turns them away."""

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        """The account, or the answer that turns it away."""
        ...


def routes(station: Station) -> Sequence[BaseRoute]:
    """Every page that tells a balance."""

    def door(
        path: str,
        entrance: Entrance,
        callback_body: Callable[[float], Mapping[str, Any] | Response],
    ) -> SandboxRoute:
        async def balance(request: Request) -> Response:
            account = entrance.authenticate(request.headers, station.config, submits=False)
            if isinstance(account, Response):
                return account
            empty = key_state_of(account, station.config) is KeyState.NO_CREDIT
            told = callback_body(0.0 if empty else LEFT)
            return told if isinstance(told, Response) else json_reply(told)

        return SandboxRoute(path, balance)

    relay = FluxRelayRenderer()
    return [
        door("/v1/dashboard/billing/subscription", relay, _subscription),
        door("/v1/dashboard/billing/usage", relay, _usage),
        door("/dream-machine/v1/credits", LumaDreamMachineRenderer(), _cents),
        door("/v1/credits", FluxVendorRenderer(), _credits),
        door("/account/costs", kling_envelope.KlingVendorRenderer(), _packs),
    ]


def _subscription(left: float) -> Mapping[str, Any]:
    del left
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        "soft_limit_usd": GRANTED,
        "hard_limit_usd": GRANTED,
        "system_hard_limit_usd": GRANTED,
        "access_until": 0,
    }


def _usage(left: float) -> Mapping[str, Any]:
    return {"object": "list", "total_usage": (GRANTED - left) * 100}


def _cents(left: float) -> Mapping[str, Any]:
    return {"credit_balance": left * 100}


def _credits(left: float) -> Mapping[str, Any]:
    return {"credits": left}


def _packs(left: float) -> Response:
    pack = {
        "resource_pack_name": "Video Generation - 100 entries",
        "resource_pack_id": "509f3fd3d4f644d48c9d9a4d6d5e7d45",
        "resource_pack_type": "decreasing_total",
        "total_quantity": GRANTED,
        "remaining_quantity": left,
        "purchase_time": 1726124664368,
        "effective_time": 1726124664368,
        "invalid_time": 1727366400000,
        "status": "online" if left else "runOut",
    }
    found = {"code": 0, "msg": "success", "resource_pack_subscribe_infos": [pack]}
    return kling_envelope.success(found)
