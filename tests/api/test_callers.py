"""Who is let in, and for how long what was looked up is believed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from generation.access.permissions import Access
from generation.settings import seconds
from generation.store import ApiKey, new_key
from tests.api.serving import Caller, Served, serving, settings_of
from tests.api.test_refused_orders import problem
from tests.services.waiting import wait_for

SOON = timedelta(seconds=20)
KEYED = [
    ("POST", "/v1/jobs"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/job_x"),
    ("POST", "/v1/jobs/job_x/cancel"),
    ("POST", "/v1/jobs/job_x/input"),
    ("GET", "/v1/jobs/job_x/reply"),
    ("GET", "/v1/operations"),
    ("GET", "/v1/operations/kling/text2video"),
]
OPEN = [
    "/",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/docs/style.css",
    "/problems/internal",
]


@pytest.mark.parametrize(("method", "path"), KEYED)
def test_strangers_get_nowhere(caller: Caller, method: str, path: str) -> None:
    http = caller.api.http
    missing = http.request(method, path)
    problem(missing, 401, "unauthenticated")
    assert missing.headers["www-authenticate"] == 'Bearer realm="genq"'
    wrong = http.request(method, path, headers={"authorization": f"Bearer {new_key()}"})
    problem(wrong, 401, "unauthenticated")
    assert wrong.headers["www-authenticate"] == 'Bearer realm="genq", error="invalid_token"'


@pytest.mark.parametrize("path", OPEN)
def test_some_paths_are_open_to_everybody(caller: Caller, path: str) -> None:
    assert caller.api.http.get(path).status_code == 200


def test_either_header_carries_the_key(caller: Caller) -> None:
    http, key = caller.api.http, caller.key
    for headers in (
        {"authorization": f"Bearer {key}"},
        {"authorization": f"bearer   {key}"},
        {"x-api-key": key},
        # A proxy in front may have an Authorization of its own.
        {"authorization": "Basic dXNlcjpwYXNz", "x-api-key": key},
    ):
        assert http.get("/v1/jobs", headers=headers).status_code == 200, headers


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic dXNlcjpwYXNz"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer genq_short"},
        {"authorization": f"Bearer {'x' * 5000}"},
        {"x-api-key": ""},
        {"x-api-key": "ä" * 40},
    ],
)
def test_what_is_no_key_is_refused(caller: Caller, headers: dict[str, str]) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    problem(caller.api.http.get("/v1/jobs", headers=encoded), 401, "unauthenticated")


def test_of_two_keys_none_is_taken(caller: Caller) -> None:
    two = [("authorization", f"Bearer {caller.key}"), ("authorization", "Bearer another")]
    said = problem(caller.api.http.get("/v1/jobs", headers=two), 401, "unauthenticated")
    assert "more than one Authorization header" in said["detail"]


def test_a_revoked_key_is_let_in_no_longer_by_any_process(
    tmp_path: Path, store_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, store_url, redis_url)
    with serving(settings) as one, serving(settings) as other:
        caller = one.caller("acme")
        elsewhere = Caller(other, "acme", caller.key)
        for each in (caller, elsewhere):
            assert each.get("/v1/jobs").status_code == 200
        key = key_of(one, "acme")
        revoked = one.admin().post(f"/v1/keys/{key.id}/revoke")
        assert revoked.json()["revoked_at"]
        problem(caller.get("/v1/jobs"), 401, "unauthenticated")
        # The database is asked every tenth of a second; what is beyond that is this machine's load.
        wait_for(lambda: elsewhere.get("/v1/jobs").status_code == 401, SOON, "it to be refused")


def test_with_no_time_to_believe_in_a_key_is_refused_at_once(
    tmp_path: Path, store_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, store_url, redis_url, key_cache=seconds(0))
    with serving(settings) as served:
        caller = served.caller("acme")
        assert caller.get("/v1/jobs").status_code == 200
        key = key_of(served, "acme")
        assert served.in_store(lambda store: store.keys.revoke(key.id, datetime.now(UTC)))
        problem(caller.get("/v1/jobs"), 401, "unauthenticated")


def test_a_new_key_is_let_in_although_it_was_tried_before(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, sqlite_url, redis_url, key_cache=seconds(0))
    with serving(settings) as served:
        late = new_key()
        headers = {"x-api-key": late}
        assert served.http.get("/v1/jobs", headers=headers).status_code == 401
        now = datetime.now(UTC)
        served.in_store(lambda store: store.keys.add("late", late, "whsec_unused", now))
        assert served.http.get("/v1/jobs", headers=headers).status_code == 200


def test_the_store_is_not_asked_while_it_is_believed(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, sqlite_url, redis_url, key_cache=seconds(60))
    with serving(settings) as served:
        caller = served.caller("acme")
        assert caller.get("/v1/jobs").status_code == 200
        key = key_of(served, "acme")
        served.in_store(lambda store: store.keys.revoke(key.id, datetime.now(UTC)))
        assert caller.get("/v1/jobs").status_code == 200


def test_a_key_ends_with_its_time(caller: Caller) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=2)
    brief = caller.api.caller(access=Access(expires_at=expires_at))
    assert brief.get("/v1/jobs").status_code == 200
    wait_for(lambda: datetime.now(UTC) >= expires_at, SOON, "the key's time to come")
    assert "expired" in problem(brief.get("/v1/jobs"), 401, "unauthenticated")["detail"]


def test_the_use_of_a_key_is_noted_and_only_now_and_then(served_on_both: Served) -> None:
    caller = served_on_both.caller("acme")
    caller.get("/v1/jobs")
    noted = wait_for(lambda: used(served_on_both, "acme"), SOON, "the use to be noted")
    for _ in range(20):
        caller.get("/v1/jobs")
    assert used(served_on_both, "acme") == noted
    assert used(served_on_both, "first") is None


def test_the_last_uses_are_noted_at_the_end(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    with serving(settings_of(tmp_path, sqlite_url, redis_url)) as served:
        for tenant in ("a", "b"):
            served.caller(tenant).get("/v1/jobs")
    assert used(served, "a")
    assert used(served, "b")


def used(served: Served, tenant: str) -> datetime | None:
    """When the tenant's key was last used, as far as was noted."""
    keys = served.in_store(lambda store: store.keys.all())
    return next(key.last_used_at for key in keys if key.tenant == tenant)


def key_of(served: Served, tenant: str) -> ApiKey:
    (key,) = served.in_store(lambda store: store.keys.all(tenant))
    return key
