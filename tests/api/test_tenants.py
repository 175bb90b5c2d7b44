"""
What one tenant sees of another: nothing. And what a key may do: what its scopes say.

Both are held against the table of routes, so that an endpoint which comes later is held to them.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi.params import Security

from api.app import Api
from api.routing import ApiRoute
from generation.access.permissions import Access, Scope
from generation.settings import Settings
from tests.api.serving import ORDER, Caller, Served
from tests.api.test_refused_orders import problem

#: Names in paths that say nothing about a tenant.
PUBLIC = {"provider", "operation", "code"}
HOOK = "https://hooks.example.com/x"
#: Where an empty object is refused before anything is looked for.
BODIES: dict[str, dict[str, Any]] = {
    "/v1/jobs/{job_id}/resolve": {"not_created": True, "then": "fail"},
    "/v1/webhook-endpoints/{endpoint_id}/recover": {"since": "2026-01-31T12:00:00Z"},
    "/v1/webhook-endpoints/{endpoint_id}/replay": {"since": "2026-01-31T12:00:00Z"},
}
#: Posting there gives out leave to read, to somebody who may.
LETS_READ = {"/v1/jobs/{job_id}/stream-token"}
#: Keys are operators' business, of whichever tenant; see `test_keys`.
OPERATORS = {"key_id"}


def guarded(settings: Settings) -> Iterator[tuple[str, str, Scope]]:
    """Method, path and scope of every endpoint that needs a key."""
    for route in Api(settings).routes:
        if isinstance(route, ApiRoute) and (scope := scope_of(route)):
            for method in route.methods or ():
                yield method, route.path, scope


def scope_of(route: ApiRoute) -> Scope | None:
    """The scope that the endpoint's first parameters ask for."""
    for parameter in inspect.signature(route.endpoint).parameters.values():
        for marker in get_args(parameter.annotation):
            if isinstance(marker, Security):
                return Scope(next(iter(marker.scopes or ())))
    return None


def of_somebody(owner: Caller) -> dict[str, str]:
    """Something of this tenant for every kind of id that a path may hold."""
    batch = owner.post("/v1/jobs/batch", {"jobs": [ORDER]}).json()
    endpoint = owner.post("/v1/webhook-endpoints", {"url": HOOK}).json()
    told = owner.order(webhook={"url": HOOK})["id"]
    owner.post(f"/v1/jobs/{told}/cancel")
    deliveries = owner.get(f"/v1/jobs/{told}/deliveries").json()["data"]
    return {
        "job_id": batch["jobs"][0]["id"],
        "batch_id": batch["id"],
        "endpoint_id": endpoint["id"],
        "delivery_id": deliveries[0]["id"],
    }


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], path)


@pytest.fixture(scope="session")
def routes(over_sqlite: Served) -> list[tuple[str, str, Scope]]:
    found = list(guarded(over_sqlite.settings))
    assert len(found) > 10
    return found


def names_in(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path))


def test_nothing_of_another_tenant_is_there(
    caller_on_both: Caller, routes: list[tuple[str, str, Scope]]
) -> None:
    stranger = caller_on_both.api.caller()
    ids = of_somebody(caller_on_both)
    before = caller_on_both.get(f"/v1/jobs/{ids['job_id']}").json()
    tried = 0
    for method, path, _ in routes:
        names = names_in(path) - PUBLIC - OPERATORS
        if not names:
            continue
        assert names <= set(ids), f"{path}: let of_somebody() make one of these"
        answer = stranger.request(method, filled(path, ids), json=BODIES.get(path, {}))
        # To put is to name something of one's own; such a name is none of genq's ids.
        assert answer.status_code == (422 if method == "PUT" else 404), (method, path, answer.text)
        tried += 1
    assert tried >= 4
    assert caller_on_both.get(f"/v1/jobs/{ids['job_id']}").json() == before
    assert stranger.get("/v1/jobs").json()["data"] == []


def test_a_key_of_the_same_tenant_sees_the_same(caller: Caller) -> None:
    job = caller.order()
    colleague = caller.api.caller(caller.tenant)
    assert colleague.get(f"/v1/jobs/{job['id']}").json() == job


def test_a_key_does_what_its_scopes_say_and_no_more(
    caller: Caller, routes: list[tuple[str, str, Scope]]
) -> None:
    ids = of_somebody(caller) | {"key_id": "key_x", "provider": "kling", "operation": "text2video"}
    for scope in Scope:
        key = caller.api.caller(caller.tenant, Access(scopes=frozenset({scope})))
        for method, path, needed in routes:
            if scope is needed:
                assert status_of(key, method, filled(path, ids)) not in {401, 403}, (path, scope)
            else:
                answer = key.request(method, filled(path, ids), json={})
                document = problem(answer, 403, "insufficient_scope")
                assert f"the scope {needed}" in document["detail"]
                challenge = f'Bearer realm="genq", error="insufficient_scope", scope="{needed}"'
                assert answer.headers["www-authenticate"] == challenge


def status_of(key: Caller, method: str, path: str) -> int:
    """The answer's status; it may go on for ever, and is not read."""
    headers = {"x-api-key": key.key}
    with key.api.http.stream(method, path, json={}, headers=headers) as answer:
        return answer.status_code


def test_what_changes_something_is_not_for_readers(routes: list[tuple[str, str, Scope]]) -> None:
    readers = {Scope.READ, Scope.METRICS, Scope.ADMIN}
    assert {scope for method, _, scope in routes if method == "GET"} <= readers
    reading = {path for method, path, scope in routes if method != "GET" and scope in readers}
    administering = {path for _, path, scope in routes if scope is Scope.ADMIN}
    assert reading - administering == LETS_READ


def test_a_key_orders_from_its_providers_only(caller: Caller) -> None:
    narrow = caller.api.caller(access=Access(providers=frozenset({"suno", "kling"})))
    narrow.order()
    order = ORDER | {"provider": "midjourney", "operation": "imagine"}
    document = problem(narrow.post("/v1/jobs", order), 403, "provider_not_allowed")
    assert document["detail"] == "this key may order from kling, suno, and not from midjourney"
