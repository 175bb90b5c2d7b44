"""Responses of a new-api station itself, sent before a request reaches the protocol behind it.

Errors have OpenAI's form, and an exhausted token gets a 401. An unknown path gets the station's
dashboard with HTTP 200.
"""

import secrets
import time

from starlette.responses import Response

from ops.sandbox.accounts import KeyState
from ops.sandbox.replies import dashboard, json_reply

_KEY_ERRORS: dict[KeyState, tuple[int, str]] = {
    KeyState.MISSING: (401, "未提供令牌"),
    KeyState.UNKNOWN: (401, "无效的令牌"),
    KeyState.BLOCKED: (403, "用户已被封禁"),
    KeyState.NO_CREDIT: (401, "该令牌额度已用尽"),
}


def error(status: int, message: str, code: str | None = None) -> Response:
    """An error of the station itself."""
    stamp = time.strftime("%Y%m%d%H%M%S") + secrets.token_hex(8)
    body = {"message": f"{message} (request id: {stamp})", "type": "new_api_error"}
    return json_reply({"error": body if code is None else {**body, "code": code}}, status)


def rejected_key(state: KeyState) -> Response:
    """The response to a key that may not do what its caller wants."""
    return error(*_KEY_ERRORS[state])


def bad_token() -> Response:
    """The response to a key that the station does not know."""
    return error(*_KEY_ERRORS[KeyState.UNKNOWN])


def no_quota() -> Response:
    """The response to a known key whose owner has no credit left."""
    return error(403, "用户额度不足, 剩余额度: ¥0.000000", "insufficient_user_quota")


def no_channel(model: str, code: str | None = "model_not_found") -> Response:
    """The response when no upstream account is free for `model`, as the station names it."""
    return error(503, f"当前分组 default 下对于{model}无可用渠道", code)


def unknown_path(method: str, path: str) -> Response:
    """The response where the station has no such endpoint."""
    if path.startswith(("/v1/", "/api/", "/assets/")):
        message = f"Invalid URL ({method} {path})"
        body = {"message": message, "type": "invalid_request_error", "param": "", "code": ""}
        return json_reply({"error": body}, 404)
    return dashboard()
