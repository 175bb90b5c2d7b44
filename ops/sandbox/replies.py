"""The responses that all protocols share: JSON, HTML pages, and a closed connection."""

import json
from typing import Any, cast

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

#: The key of the ASGI extension through which the server cuts a connection.
HANG_UP = "genq.sandbox.hang_up"

_DASHBOARD = "<!doctype html><html><head><title>New API</title></head><body></body></html>"
_BAD_GATEWAY = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)


def json_reply(body: object, status: int = 200, retry_after: int | None = None) -> Response:
    """`body` as compact JSON, the way Go and Java services write it."""
    headers = None if retry_after is None else {"retry-after": str(retry_after)}
    return Response(to_json(body), status, headers, "application/json")


def dashboard() -> Response:
    """HTTP 200 with HTML: the response of a station without such an endpoint."""
    return Response(_DASHBOARD, media_type="text/html")


def bad_gateway() -> Response:
    """A proxy's 502 page."""
    return Response(_BAD_GATEWAY, 502, media_type="text/html")


def half_a_json() -> Response:
    """HTTP 200 with a truncated JSON object."""
    return Response('{"id":"17', media_type="application/json")


class HangUp(Response):
    """No response: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"][HANG_UP]["now"]()
        while (await receive())["type"] != "http.disconnect":
            pass


async def read_object(request: Request) -> dict[str, Any] | None:
    """The request's JSON object; None for any other body."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    return cast("dict[str, Any]", body) if isinstance(body, dict) else None


def text_of(body: dict[str, Any], name: str) -> str:
    """A text field; "" if it is missing or not a text."""
    value = body.get(name)
    return value if isinstance(value, str) else ""
