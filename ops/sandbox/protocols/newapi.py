"""What a new-api station says for itself, before a request reaches the protocol behind it.

Its errors have OpenAI's shape; an exhausted token is told as a 401, and an unknown path is answered
with its dashboard, HTTP 200.
"""

import secrets
import time

from starlette.responses import Response

from ops.sandbox.accounts import Standing
from ops.sandbox.replies import dashboard, json_reply

_DOORS: dict[Standing, tuple[int, str]] = {
    Standing.MISSING: (401, "未提供令牌"),
    Standing.UNKNOWN: (401, "无效的令牌"),
    Standing.BLOCKED: (403, "用户已被封禁"),
    Standing.NO_CREDIT: (401, "该令牌额度已用尽"),
}


def error(status: int, message: str, code: str | None = None) -> Response:
    """An error of the station itself."""
    stamp = time.strftime("%Y%m%d%H%M%S") + secrets.token_hex(8)
    body = {"message": f"{message} (request id: {stamp})", "type": "new_api_error"}
    return json_reply({"error": body if code is None else {**body, "code": code}}, status)


def turned_away(standing: Standing, *, submits: bool) -> Response | None:
    """What a key of this standing is told at the door; None: it may pass."""
    return None if standing.passes(submits=submits) else error(*_DOORS[standing])


def bad_token() -> Response:
    """The key is not one of this station's."""
    return error(*_DOORS[Standing.UNKNOWN])


def no_quota() -> Response:
    """The key is good; its owner's credit is used up."""
    return error(403, "用户额度不足, 剩余额度: ¥0.000000", "insufficient_user_quota")


def unknown_path(method: str, path: str) -> Response:
    """The answer where the station has no such endpoint."""
    if path.startswith(("/v1/", "/api/", "/assets/")):
        message = f"Invalid URL ({method} {path})"
        body = {"message": message, "type": "invalid_request_error", "param": "", "code": ""}
        return json_reply({"error": body}, 404)
    return dashboard()
