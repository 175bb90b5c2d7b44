"""Dependencies for authenticated callers: an API key with a scope, within the key's limits.

An endpoint takes its caller as its first parameter, so that nothing else is read before the key is
checked: `async def get_key(caller: Admin, ...)`.
"""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes

from api.dependencies import InContainer
from generation.access.permissions import Scope
from generation.store import ApiKey, retry_if_disconnected

#: They describe the key in the OpenAPI document; `ApiKeyAuth.admit` reads the headers.
BEARER = HTTPBearer(
    scheme_name="bearer", description="`Authorization: Bearer genq_…`", auto_error=False
)
API_KEY = APIKeyHeader(
    name="X-API-Key", scheme_name="apiKey", description="The same key.", auto_error=False
)


async def authenticate(
    request: Request,
    required: SecurityScopes,
    container: InContainer,
    _bearer: Annotated[object, Depends(BEARER)],
    _api_key: Annotated[object, Depends(API_KEY)],
) -> ApiKey:
    """Return the caller's API key.

    Raises `Problem`: 401, 403, 429.

    A key with limits is refused at once while its rate is used up. `api.routing.ApiRoute` adds the
    rate limit headers to the response of such a caller.
    """
    (scope,) = map(Scope, required.scopes)
    return await admit(request, scope, container)


async def admit(request: Request, scope: Scope, container: InContainer) -> ApiKey:
    """Return the caller's API key, which has this scope. Raises `Problem`: 401, 403, 429."""
    caller = await retry_if_disconnected(lambda: container.callers.admit(request.headers, scope))
    request.state.caller = caller
    if scope is Scope.SUBMIT and caller.access.limits:
        container.limiter.check(request, caller)
        request.state.limited_caller = caller
    return caller


Reader = Annotated[ApiKey, Security(authenticate, scopes=[Scope.READ.value])]
Submitter = Annotated[ApiKey, Security(authenticate, scopes=[Scope.SUBMIT.value])]
Canceler = Annotated[ApiKey, Security(authenticate, scopes=[Scope.CANCEL.value])]
Admin = Annotated[ApiKey, Security(authenticate, scopes=[Scope.ADMIN.value])]
MetricsReader = Annotated[ApiKey, Security(authenticate, scopes=[Scope.METRICS.value])]


async def current_caller(request: Request) -> ApiKey:
    """Return the caller that the endpoint's first parameter has authenticated, with any scope."""
    return request.state.caller


#: For dependencies of endpoints.
Caller = Annotated[ApiKey, Depends(current_caller)]
