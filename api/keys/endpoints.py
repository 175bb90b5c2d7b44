"""`/v1/keys`: API keys of all tenants, for operators. Needs a key with the scope `admin`."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path
from starlette.responses import Response

from api.auth.dependencies import Admin
from api.dependencies import InContainer, JsonBody, query_of
from api.http.openapi import problems, response
from api.http.problem_types import KEY_REVOKED, NOT_FOUND, OWN_KEY
from api.http.problems import Problem
from api.http.responses import NOT_KEPT, json_answer
from api.keys.schemas import Key, KeyCreate, KeyList, KeyQuery, KeyUpdate, NewKey
from api.routing import new_router
from generation.access.key_document import key_document
from generation.access.permissions import Access
from generation.store import ApiKey, new_key
from generation.webhooks.signature import new_secret

KEY_ID = re.compile(r"key_[0-9A-HJKMNP-TV-Z]{26}")

router = new_router("Keys", "/v1/keys")


def own_key() -> Problem:
    return Problem(OWN_KEY, "a key cannot change or revoke itself; use another one, or genq keys")


def key_revoked() -> Problem:
    return Problem(KEY_REVOKED, "the key was revoked; what it may do cannot be changed")


async def find_key(
    key_id: Annotated[str, Path(description="The key's `id`.")], container: InContainer
) -> ApiKey:
    """Return the key in the path. Raises `Problem` (404)."""
    key = await container.store.keys.get(key_id) if KEY_ID.fullmatch(key_id) else None
    if key is None:
        raise Problem(NOT_FOUND, "there is no such key; GET /v1/keys lists them")
    return key


KeyInPath = Annotated[ApiKey, Depends(find_key)]


@router.post(
    "",
    response_model=NewKey,
    status_code=201,
    responses=response(201, headers={"Location": "URL of the key."}),
)
async def create_key(
    caller: Admin, body: Annotated[KeyCreate, JsonBody.of(KeyCreate)], container: InContainer
) -> Response:
    """Create a key.

    The key and its webhook secret are returned once, in this response. Fields that are absent set
    no limit; without `scopes` the key may `submit`, `read` and `cancel`.
    """
    del caller
    key, secret = new_key(), new_secret()
    stored = await container.store.keys.add(
        body.tenant, key, secret, datetime.now(UTC), body.access(Access())
    )
    container.callers.forget()
    document = key_document(stored) | {"key": key, "webhook_secret": secret}
    return json_answer(document, 201, {"Location": f"/v1/keys/{stored.id}"} | NOT_KEPT)


@router.get("", response_model=KeyList)
async def list_keys(
    caller: Admin, query: Annotated[KeyQuery, query_of(KeyQuery)], container: InContainer
) -> Response:
    """List keys.

    All of them, oldest first, including revoked ones.
    """
    del caller
    keys = await container.store.keys.all(query.tenant)
    return json_answer({"data": [key_document(key) for key in keys]})


@router.get("/{key_id}", response_model=Key)
async def get_key(caller: Admin, key: KeyInPath) -> Response:
    """Get a key.

    Its tenant, permissions and limits, and when it was last used.
    """
    del caller
    return json_answer(key_document(key))


@router.patch("/{key_id}", response_model=Key, responses=problems(key_revoked(), own_key()))
async def change_key(
    caller: Admin,
    body: Annotated[KeyUpdate, JsonBody.of(KeyUpdate)],
    key: KeyInPath,
    container: InContainer,
) -> Response:
    """Change what a key may do.

    Only the fields that are present change; `null` removes a limit. The change takes effect with
    the next request. Lower limits end no job; jobs in flight count towards them.
    """
    if key.id == caller.id:
        raise own_key()
    changed = await container.store.keys.change(key.id, body.access)
    if changed is None:
        raise key_revoked()
    container.callers.forget()
    return json_answer(key_document(changed))


@router.post("/{key_id}/revoke", response_model=Key, responses=problems(own_key()))
async def revoke_key(caller: Admin, key: KeyInPath, container: InContainer) -> Response:
    """Revoke a key.

    Takes effect at once in this process, and within a tenth of a second (`GENQ_KEY_CACHE`) in all
    others. Accepted jobs go on, and their webhooks are still sent. Repeating the request changes
    nothing.
    """
    if key.id == caller.id:
        raise own_key()
    await container.store.keys.revoke(key.id, datetime.now(UTC))
    container.callers.forget()
    return json_answer(key_document(await find_key(key.id, container)))
