"""
`/v1/keys`: for operators, and for their scripts. Needs a key with the scope `admin`.
"""

import re
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.auth.api_keys import Callers
from api.http.problem_types import INVALID_QUERY, KEY_REVOKED, NOT_FOUND, OWN_KEY
from api.http.problems import Problem, invalid
from api.http.request_body import read_body, read_json
from api.http.responses import json_answer
from api.http.validation_errors import complaints
from api.keys.schemas import AccessOrder, KeyOrder
from generation.access.key_document import key_document
from generation.access.permissions import Access
from generation.settings import Settings
from generation.store import ApiKey, ApiKeyStore, new_key
from generation.webhooks.signature import new_secret

Model = TypeVar("Model", bound=AccessOrder)

KEY_ID = re.compile(r"key_[0-9A-HJKMNP-TV-Z]{26}")


class Keys:
    """The endpoints of keys, of all tenants."""

    def __init__(self, settings: Settings, store: ApiKeyStore, callers: Callers) -> None:
        self._max_body_bytes = settings.max_body_bytes
        self._store = store
        self._callers = callers

    async def create(self, request: Request, caller: ApiKey) -> Response:
        """201 with the key and its webhook secret, which are shown this once."""
        del caller
        now = datetime.now(UTC)
        order = await self._read(request, KeyOrder)
        key, secret = new_key(), new_secret()
        stored = await self._store.add(order.tenant, key, secret, now, order.access(Access()))
        self._callers.forget()
        shown = key_document(stored) | {"key": key, "webhook_secret": secret}
        return json_answer(shown, 201, {"Location": f"/v1/keys/{stored.id}"} | NOT_KEPT)

    async def all(self, request: Request, caller: ApiKey) -> Response:
        """Every key, oldest first, the revoked ones too; or those of one tenant."""
        del caller
        tenant = read_tenant(request)
        keys = await self._store.all(tenant)
        return json_answer({"data": [key_document(key) for key in keys]})

    async def get(self, request: Request, caller: ApiKey) -> Response:
        del caller
        return json_answer(key_document(await self._key(request)))

    async def change(self, request: Request, caller: ApiKey) -> Response:
        """What is named is changed, and holds from the next request on; `null` lifts a limit."""
        order = await self._read(request, AccessOrder)
        key = not_itself(await self._key(request), caller)
        changed = await self._store.change(key.id, order.access)
        if changed is None:
            raise Problem(KEY_REVOKED, "the key was revoked; what it may do cannot be changed")
        self._callers.forget()
        return json_answer(key_document(changed))

    async def revoke(self, request: Request, caller: ApiKey) -> Response:
        """Asking again changes nothing."""
        key = not_itself(await self._key(request), caller)
        await self._store.revoke(key.id, datetime.now(UTC))
        self._callers.forget()
        return json_answer(key_document(await self._key(request)))

    async def _read(self, request: Request, model: type[Model]) -> Model:
        body = read_json(await read_body(request, self._max_body_bytes))
        try:
            return model.model_validate(body)
        except ValidationError as error:
            raise invalid(complaints(error, body, model)) from error

    async def _key(self, request: Request) -> ApiKey:
        key_id = request.path_params["key_id"]
        key = await self._store.get(key_id) if KEY_ID.fullmatch(key_id) else None
        if key is None:
            raise Problem(NOT_FOUND, "there is no such key; GET /v1/keys lists them")
        return key


def not_itself(key: ApiKey, caller: ApiKey) -> ApiKey:
    """Raises `Problem` (409) for the key that asks: a slip would lock its operator out."""
    if key.id == caller.id:
        words = "a key cannot change or revoke itself; use another one, or genq keys"
        raise Problem(OWN_KEY, words)
    return key


#: An answer with a secret in it is for nobody's cache.
NOT_KEPT = {"Cache-Control": "no-store"}


def read_tenant(request: Request) -> str | None:
    """Raises `Problem` (400) for any other parameter."""
    given = request.query_params.multi_items()
    for name, value in given:
        if name != "tenant":
            raise Problem(INVALID_QUERY, f"there is no parameter {name[:60]!r}; there is tenant")
        if not value or "\0" in value:
            raise Problem(INVALID_QUERY, "tenant must be a tenant's name")
    if len(given) > 1:
        raise Problem(INVALID_QUERY, "tenant is given twice; give it once")
    return given[0][1] if given else None
