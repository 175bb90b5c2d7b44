"""
Reading a request's body, within bounds.
"""

from starlette.requests import ClientDisconnect, Request

from api.kinds import BODY_TOO_LARGE
from api.problems import Problem


async def read_body(request: Request, limit: int) -> bytes:
    """
    The whole body. Raises `Problem` (413) as soon as it is known to be longer than `limit` bytes,
    whether or not the caller announced its length.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return whole(message.get("body", b""), limit)
    parts = bytearray()
    while message["type"] == "http.request":
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise too_large(limit)
        if not message.get("more_body"):
            return bytes(parts)
        message = await request.receive()
    raise ClientDisconnect


def whole(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> Problem:
    return Problem(BODY_TOO_LARGE, f"the body may have at most {limit} bytes")
