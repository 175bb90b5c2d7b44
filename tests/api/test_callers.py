"""Who is let in, and for how long what was looked up is believed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from generation.settings import seconds
from generation.store import new_key
from tests.api.serving import Caller, Served, serving, settings_of
from tests.api.test_refused_orders import problem
from tests.services.waiting import wait_for

SOON = timedelta(seconds=5)
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


def test_a_revoked_key_is_let_in_no_longer_than_the_cache_lasts(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, sqlite_url, redis_url, key_cache=seconds(0.5))
    with serving(settings) as served:
        caller = served.caller("acme")
        assert caller.get("/v1/jobs").status_code == 200
        revoke(served, "acme")
        began = monotonic()
        wait_for(lambda: caller.get("/v1/jobs").status_code == 401, SOON, "the key to be refused")
        assert monotonic() - began < 2


def test_what_was_looked_up_is_believed_for_a_while(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    settings = settings_of(tmp_path, sqlite_url, redis_url, key_cache=seconds(60))
    with serving(settings) as served:
        caller = served.caller("acme")
        assert caller.get("/v1/jobs").status_code == 200
        revoke(served, "acme")
        assert caller.get("/v1/jobs").status_code == 200
        late = new_key()
        headers = {"x-api-key": late}
        assert served.http.get("/v1/jobs", headers=headers).status_code == 401
        now = datetime.now(UTC)
        served.in_store(lambda store: store.keys.add("late", late, "whsec_unused", now))
        assert served.http.get("/v1/jobs", headers=headers).status_code == 401


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


def revoke(served: Served, tenant: str) -> None:
    keys = served.in_store(lambda store: store.keys.all())
    (key,) = (key for key in keys if key.tenant == tenant)
    assert served.in_store(lambda store: store.keys.revoke(key.id, datetime.now(UTC)))
