"""An API server in a thread of this process, on a real port, over real services."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx

from api.server import Server, configuration, create_app, listen, url_of
from generation.access.permissions import Access, Scope
from generation.job import Job
from generation.settings import Settings
from generation.store import Decide, Store, new_key
from tests.services.waiting import wait_for

Value = TypeVar("Value")

_tenants = count(1)

START = timedelta(seconds=60)
ORDER: dict[str, Any] = {
    "provider": "kling",
    "operation": "text2video",
    "input": {"prompt": "a paper boat"},
}
#: A relay that sells both providers, and one of Midjourney only that is asked later.
STATIONS = """
[[stations]]
name = "relay"
url = "http://127.0.0.1:9"
keys = [{ name = "main", env = "PATH" }]
[stations.speaks]
midjourney = { dialect = "midjourney.station" }
kling = { dialect = "kling.relay" }

[[stations]]
name = "proxy"
url = "http://127.0.0.1:9"
order = 5
auth = "mj-api-secret"
keys = [{ name = "main", env = "PATH" }]
[stations.speaks]
midjourney = { dialect = "midjourney.proxy" }
"""


def settings_of(folder: Path, store_url: str, redis_url: str, **changes: Any) -> Settings:
    """Settings that owe nothing to this machine's environment. Stations: see `STATIONS`."""
    file = folder / "stations.toml"
    if not file.exists():
        file.write_text(STATIONS)
    known: dict[str, Any] = {
        "_env_file": None,
        "data_dir": folder,
        "database_url": store_url,
        "redis_url": redis_url,
        "stations_file": file,
    }
    return Settings(**(known | changes))


@dataclass(frozen=True)
class Served:
    """A running API, and what is behind it."""

    settings: Settings
    http: httpx.Client

    def caller(self, tenant: str | None = None, access: Access | None = None) -> "Caller":
        """Somebody with a new key of this tenant, or of one nobody else has."""
        named = tenant or f"tenant-{next(_tenants)}"
        return Caller(self, named, add_key(self.settings, named, access))

    def admin(self) -> "Caller":
        """Somebody with a key that may do everything."""
        return self.caller(access=Access(scopes=frozenset(Scope)))

    def in_store(self, ask: Callable[[Store], Awaitable[Value]]) -> Value:
        """Ask the store, past the API."""
        return in_store(self.settings, ask)


@dataclass(frozen=True)
class Caller:
    """Somebody with an API key."""

    api: Served
    tenant: str
    key: str

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.key}"} | arguments.pop("headers", {})
        return self.api.http.request(method, path, headers=headers, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, body: object = None, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, json=body, **arguments)

    def order(self, **changes: Any) -> dict[str, Any]:
        """Order a Kling video; the accepted job."""
        answer = self.post("/v1/jobs", ORDER | changes)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def stored(self, job_id: str) -> Job:
        """The job as it is on disk."""
        job = self.api.in_store(lambda store: store.jobs.get(job_id))
        assert job is not None
        return job

    def change(self, job_id: str, decide: Decide) -> None:
        """Do to the job what a worker would do."""
        assert self.api.in_store(lambda store: store.jobs.change(job_id, decide))


def in_store(settings: Settings, ask: Callable[[Store], Awaitable[Value]]) -> Value:
    async def asked() -> Value:
        store = Store(settings.store_url)
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(asked())


def add_key(settings: Settings, tenant: str, access: Access | None = None) -> str:
    """A new key of this tenant."""
    key = new_key()
    now = datetime.now(UTC)
    in_store(settings, lambda store: store.keys.add(tenant, key, "whsec_unused", now, access))
    return key


@contextmanager
def serving(settings: Settings) -> Generator[Served]:
    """A server that answers, until the block ends; it has then closed everything."""
    app = create_app(settings)
    listener = listen("127.0.0.1", 0)
    server = Server(configuration(app), app)
    # httpx closes connections beyond its limit of idle ones, at times under a thread that was just
    # given one: let there be no limit.
    limits = httpx.Limits(max_keepalive_connections=None)
    http = httpx.Client(base_url=url_of(listener), limits=limits, trust_env=False, timeout=20)
    add_key(settings, "first")  # the API does not start while nobody has a key
    thread = threading.Thread(target=server.run, args=([listener],), name="api-server")
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), START, "the API to start")
        assert server.started, "the API did not start"
        yield Served(settings, http)
    finally:
        http.close()
        server.end()
        thread.join(30)
        assert not thread.is_alive(), "the API did not end"


def pages(caller: Caller, path: str) -> Iterator[dict[str, Any]]:
    """Every page of a list, by way of its cursors."""
    page = caller.get(path).json()
    yield page
    while page["has_more"]:
        joint = "&" if "?" in path else "?"
        page = caller.get(f"{path}{joint}cursor={page['next_cursor']}").json()
        yield page
