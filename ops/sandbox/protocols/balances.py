"""The balance endpoints of new-api relays and of three vendors.

An account has used up a quarter of its grant; one without credit, all of it.
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
from ops.sandbox.station import SandboxStation

GRANTED = 100.0
LEFT = 75.0


class Authenticator(Protocol):
    """Anything that authenticates callers."""

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        """The account, or the response that rejects the key."""
        ...


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every balance route."""

    def balance_route(
        path: str,
        authenticator: Authenticator,
        body_of: Callable[[float], Mapping[str, Any] | Response],
    ) -> SandboxRoute:
        async def balance(request: Request) -> Response:
            account = authenticator.authenticate(request.headers, station.config, submits=False)
            if isinstance(account, Response):
                return account
            empty = key_state_of(account, station.config) is KeyState.NO_CREDIT
            body = body_of(0.0 if empty else LEFT)
            return body if isinstance(body, Response) else json_reply(body)

        return SandboxRoute(path, balance)

    relay = FluxRelayRenderer()
    return [
        balance_route("/v1/dashboard/billing/subscription", relay, _subscription),
        balance_route("/v1/dashboard/billing/usage", relay, _usage),
        balance_route("/dream-machine/v1/credits", LumaDreamMachineRenderer(), _cents),
        balance_route("/v1/credits", FluxVendorRenderer(), _credits),
        balance_route("/account/costs", kling_envelope.KlingVendorRenderer(), _packs),
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
