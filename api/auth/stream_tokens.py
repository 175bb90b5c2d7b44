"""
`POST /v1/jobs/{id}/stream-token`, and the way in with such a token, for browsers.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api.auth.api_keys import refusal
from api.auth.guard import CallersEndpoint, Guarded
from api.http.responses import json_answer
from api.lookup import own_job
from generation.access.permissions import Scope
from generation.access.stream_tokens import LIFETIME, SECRET_NAME, key_of, stream_token
from generation.job_document import rfc3339
from generation.store import ApiKey, Store

PARAMETER = "token"
#: A page of any site may read what a token opens: it carries no cookie and no more rights.
ANYWHERE = "*"


class StreamTokens:
    """Issues tokens, and lets in who has one."""

    def __init__(self, store: Store, base_url: str) -> None:
        self._store = store
        self._base_url = base_url

    async def issue(self, request: Request, caller: ApiKey) -> Response:
        """201 with a token for the stream of a job of the caller's tenant."""
        job = await own_job(self._store.jobs, request, caller)
        expires_at = datetime.now(UTC).replace(microsecond=0) + LIFETIME
        secret = await self._store.secrets.get(SECRET_NAME)
        token = stream_token(job.id, caller.id, expires_at, secret)
        document = {
            "object": "stream_token",
            "job": job.id,
            "token": token,
            "url": f"{self._base_url}/v1/jobs/{job.id}/stream?{PARAMETER}={token}",
            "expires_at": rfc3339(expires_at),
        }
        return json_answer(document, 201, {"Cache-Control": "no-store"})

    async def admit(self, token: str, job_id: str) -> ApiKey:
        """The key it was issued to. Raises `Problem` (401) for a token that opens nothing now."""
        now = datetime.now(UTC)
        secret = await self._store.secrets.get(SECRET_NAME)
        key_id = key_of(token, job_id, now, secret)
        caller = await self._store.keys.get(key_id) if key_id else None
        if caller is None or not caller.is_valid(now) or Scope.READ not in caller.access.scopes:
            raise refusal(
                "this token does not open this stream, or not any more; get a new one from POST"
                " /v1/jobs/{id}/stream-token",
                error="invalid_token",
            )
        return caller


class TokenOrKey(Guarded):
    """An endpoint for who presents an API key, or a token in the URL that opens just this."""

    def __init__(self, keyed: Guarded, tokens: StreamTokens, endpoint: CallersEndpoint) -> None:
        self._keyed = keyed
        self._tokens = tokens
        self._endpoint = endpoint

    def scope(self, method: str) -> Scope:
        return self._keyed.scope(method)

    async def __call__(self, request: Request) -> Response:
        token = request.query_params.get(PARAMETER)
        if token is None:
            return await self._keyed(request)
        caller = await self._tokens.admit(token, request.path_params["job_id"])
        response = await self._endpoint(request, caller)
        response.headers["Access-Control-Allow-Origin"] = ANYWHERE
        return response
