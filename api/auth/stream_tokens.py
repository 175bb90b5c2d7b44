"""Tokens that open the stream of one job for a browser."""

from datetime import UTC, datetime
from typing import Any

from api.auth.api_keys import refusal
from generation.access.permissions import Scope
from generation.access.stream_tokens import LIFETIME, SECRET_NAME, key_of, stream_token
from generation.job_document import rfc3339
from generation.store import ApiKey, Store


async def new_token(store: Store, job_id: str, key_id: str, now: datetime) -> dict[str, Any]:
    """Return the document of a token that this key issues for the stream of this job."""
    expires_at = now.replace(microsecond=0) + LIFETIME
    secret = await store.secrets.get(SECRET_NAME)
    return {
        "object": "stream_token",
        "job": job_id,
        "token": stream_token(job_id, key_id, expires_at, secret),
        "expires_at": rfc3339(expires_at),
    }


async def admit_by_token(store: Store, token: str, job_id: str) -> ApiKey:
    """Return the key that issued the token. Raises `Problem` (401) for an unusable token."""
    now = datetime.now(UTC)
    secret = await store.secrets.get(SECRET_NAME)
    key_id = key_of(token, job_id, now, secret)
    caller = await store.keys.get(key_id) if key_id else None
    if caller is None or not caller.is_valid(now) or Scope.READ not in caller.access.scopes:
        raise refusal(
            "this token does not open this stream, or not any more; get a new one from POST"
            " /v1/jobs/{id}/stream-token",
            error="invalid_token",
        )
    return caller
