"""`/v1/keys`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.keys import schemas as documents
from generation.access.permissions import Access, Scope
from tests.api.serving import Caller, Served
from tests.api.test_refused_orders import problem

EVERYTHING: dict[str, Any] = {
    "scopes": ["read", "submit"],
    "providers": ["kling", "suno"],
    "rate": "60/m",
    "max_in_flight": 20,
    "daily_jobs": 1000,
    "expires_at": "2090-01-31T12:00:00.000Z",
}
#: The change to a good key; then the place, the code and a word of what is said there.
FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"tenant": None}, "#/tenant", "type", "must be a string"),
    ({"tenant": ""}, "#/tenant", "pattern", "must be printable characters"),
    ({"tenant": " a"}, "#/tenant", "pattern", "must be printable characters"),
    ({"tenant": "a\nb"}, "#/tenant", "pattern", "must be printable characters"),
    ({"tenant": "x" * 101}, "#/tenant", "length", "at most 100"),
    ({"scopes": []}, "#/scopes", "length", "must not be empty"),
    ({"scopes": None}, "#/scopes", "type", "must be a JSON array"),
    ({"scopes": ["write"]}, "#/scopes/0", "enum", "or 'admin'"),
    ({"providers": ["klng"]}, "#/providers/0", "invalid", "must be one of flux, kling, luma"),
    ({"providers": []}, "#/providers", "length", "must not be empty"),
    ({"rate": "fast"}, "#/rate", "invalid", "as in 10/s, 60/m or 500/h"),
    ({"rate": 60}, "#/rate", "type", "must be a string"),
    ({"max_in_flight": 0}, "#/max_in_flight", "range", "must be at least 1"),
    ({"max_in_flight": "5"}, "#/max_in_flight", "type", "must be a whole number"),
    ({"daily_jobs": 10**7}, "#/daily_jobs", "range", "at most 1000000"),
    ({"expires_at": "soon"}, "#/expires_at", "invalid", "2027-01-31T12:00:00Z"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at", "invalid", "in the future"),
    ({"expires_at": "2090-13-01T00:00:00Z"}, "#/expires_at", "invalid", "2027-01-31T12:00:00Z"),
    ({"colour": "red"}, "#/colour", "unknown_field", "Known here: "),
]


@pytest.fixture
def admin(over_sqlite: Served) -> Caller:
    return over_sqlite.admin()


def test_a_key_is_created_used_changed_and_revoked(caller_on_both: Caller) -> None:
    served = caller_on_both.api
    admin = served.admin()
    made = admin.post("/v1/keys", {"tenant": "Ärzte & Co"} | EVERYTHING)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    document = documents.NewKey.model_validate_json(made.content)
    assert document.webhook_secret.startswith("whsec_")
    shown = {k: v for k, v in made.json().items() if k not in {"key", "webhook_secret"}}
    assert EVERYTHING.items() <= shown.items()
    path = made.headers["location"]
    assert path == f"/v1/keys/{document.id}"
    seen = admin.get(path)
    assert seen.json() == shown
    assert document.key not in seen.text
    key = Caller(served, "Ärzte & Co", document.key)
    key.order()
    problem(key.get("/v1/keys"), 403, "insufficient_scope")

    changed = admin.request("PATCH", path, json={"rate": None, "scopes": ["read"]})
    assert changed.json() == shown | {"rate": None, "scopes": ["read"]} | used(changed.json())
    problem(key.post("/v1/jobs", {}), 403, "insufficient_scope")
    assert admin.request("PATCH", path, json={}).json()["scopes"] == ["read"]

    revoked = admin.post(f"{path}/revoke")
    assert documents.Key.model_validate_json(revoked.content).revoked_at
    problem(key.get("/v1/jobs"), 401, "unauthenticated")
    again = admin.post(f"{path}/revoke")
    assert again.json()["revoked_at"] == revoked.json()["revoked_at"]
    problem(admin.request("PATCH", path, json={"rate": "1/s"}), 409, "key_revoked")


def test_a_key_cannot_change_or_revoke_itself(admin: Caller) -> None:
    (own,) = admin.get(f"/v1/keys?tenant={admin.tenant}").json()["data"]
    path = f"/v1/keys/{own['id']}"
    problem(admin.post(f"{path}/revoke"), 409, "own_key")
    problem(admin.request("PATCH", path, json={"scopes": ["read"]}), 409, "own_key")
    assert admin.get(path).json()["scopes"] == own["scopes"]


def used(key: dict[str, Any]) -> dict[str, Any]:
    """Without `last_used_at`, which is written later."""
    return {"last_used_at": key["last_used_at"]}


def test_absent_fields_have_defaults(admin: Caller) -> None:
    made = admin.post("/v1/keys", {"tenant": "usual"}).json()
    assert made["scopes"] == ["cancel", "read", "submit"]
    assert {made[name] for name in EVERYTHING if name != "scopes"} == {None}


def test_validation_errors_name_the_field(admin: Caller) -> None:
    before = admin.get("/v1/keys").json()["data"]
    for change, pointer, code, text in FAULTS:
        body = {"tenant": "faulty"} | EVERYTHING | change
        document = problem(admin.post("/v1/keys", body), 422, "invalid_request")
        assert [error["pointer"] for error in document["errors"]] == [pointer], change
        (error,) = document["errors"]
        assert error["code"] == code, (change, error)
        assert text in error["detail"], (change, error)
    assert len(admin.get("/v1/keys").json()["data"]) == len(before)
    missing = problem(admin.post("/v1/keys", EVERYTHING), 422, "invalid_request")
    assert missing["detail"] == "#/tenant: is required"


def test_keys_are_listed_by_tenant(admin: Caller) -> None:
    made = [admin.post("/v1/keys", {"tenant": "listed"}).json()["id"] for _ in range(3)]
    listed = documents.KeyList.model_validate_json(admin.get("/v1/keys?tenant=listed").content)
    assert [key.id for key in listed.data] == made
    everybody = [key["id"] for key in admin.get("/v1/keys").json()["data"]]
    assert set(made) < set(everybody)
    assert everybody == sorted(everybody)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?tennant=a", "did you mean tenant?"),
        ("?tenant=a&tenant=b", "given twice"),
        ("?tenant=%00", "a tenant's name"),
        ("?tenant=", "a tenant's name"),
    ],
)
def test_unusable_queries_are_explained(admin: Caller, query: str, text: str) -> None:
    assert text in problem(admin.get(f"/v1/keys{query}"), 400, "invalid_query")["detail"]


@pytest.mark.parametrize(
    "key_id", ["key_x", "job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G", "%00", "key_" + "0" * 26]
)
def test_an_unknown_key_is_not_found(admin: Caller, key_id: str) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/revoke")):
        problem(admin.request(method, f"/v1/keys/{key_id}{path}", json={}), 404, "not_found")


def test_a_key_expires_exactly_in_time(admin: Caller, over_sqlite: Served) -> None:
    moment = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=123000)
    body = {"tenant": "brief", "expires_at": moment.isoformat()}
    made = admin.post("/v1/keys", body).json()
    stored = over_sqlite.in_store(lambda store: store.keys.get(made["id"]))
    assert stored is not None
    assert stored.access == Access(expires_at=moment)
    assert Scope.ADMIN not in stored.access.scopes
