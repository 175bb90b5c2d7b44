"""
Flower shows jobs: one row each, by the job's id, with its true state, runtime and result.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ops.stack.ports import free_port
from tests.deployment.deployment import START, Deployment
from tests.deployment.fixtures import Deploy
from tests.services.listeners import listeners
from tests.services.waiting import wait_for

PASSWORD = "operator:a-password-for-tests"
SOON = timedelta(seconds=30)


class Page:
    """A running Flower, asked over its own API."""

    def __init__(self, genq: Deployment) -> None:
        port = free_port()
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            auth=("operator", PASSWORD.partition(":")[2]),
            trust_env=False,
            timeout=20,
        )
        before = listeners(genq.redis_url)
        genq.start(
            "flower",
            "flower",
            GENQ_FLOWER_PORT=str(port),
            GENQ_FLOWER_BASIC_AUTH=PASSWORD,
        )
        wait_for(self._answers, START, "Flower to answer")
        wait_for(lambda: listeners(genq.redis_url) > before, START, "Flower to listen")

    def tasks(self) -> dict[str, dict[str, Any]]:
        return self._client.get("/api/tasks").raise_for_status().json()

    def row(self, job_id: str, state: str) -> dict[str, Any]:
        """The row of a job once it shows this state."""

        def there() -> dict[str, Any] | None:
            found = self.tasks().get(job_id)
            return found if found and found["state"] == state else None

        try:
            return wait_for(there, SOON, f"a row {state}") or {}
        except AssertionError as error:
            raise AssertionError(f"{error}; the row is {self.tasks().get(job_id)}") from None

    def close(self) -> None:
        self._client.close()

    def _answers(self) -> bool:
        try:
            return self._client.get("/healthcheck").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def watched(deploy: Deploy, sqlite_url: str, redis_url: str) -> Iterator[tuple[Deployment, Page]]:
    """A deployment without a worker yet, and the Flower that watches it."""
    genq = deploy(sqlite_url, redis_url)
    genq.start_api()
    page = Page(genq)
    try:
        yield genq, page
    finally:
        page.close()


def test_flower_shows_each_job_from_its_order_to_its_end(watched: tuple[Deployment, Page]) -> None:
    genq, page = watched
    secret_prompt = "a lighthouse at dusk, " + "with a very long description " * 20
    picture = genq.submit("midjourney.imagine", secret_prompt)
    waiting = page.row(picture, "PENDING")
    assert waiting["name"] == "midjourney.imagine"
    genq.start_worker()
    done = page.row(picture, "SUCCESS")
    job = genq.job(picture)
    assert job["assets"][0]["url"] in done["result"]
    took = done["runtime"]
    assert 0.3 < took < 60
    assert done["args"].startswith("(prompt='a lighthouse at dusk")
    assert len(done["args"]) < 250, "prompts are shortened"

    film = genq.submit("kling.text2video", "slowly [stuck]")
    page.row(film, "STARTED")
    genq.until(film, "running")
    genq.sandbox.finish(film)
    assert genq.until(film, "succeeded")["assets"][0]["url"] in page.row(film, "SUCCESS")["result"]

    refused = genq.submit("kling.text2video", "no [moderated]")
    assert page.row(refused, "FAILURE")["exception"].startswith("moderated: ")

    crowded = genq.submit("kling.text2video", "later [queue-full=1]")
    page.row(crowded, "SUCCESS")

    let_go = genq.submit("kling.text2video", "never [stuck]")
    page.row(let_go, "STARTED")
    genq.request("POST", f"/v1/jobs/{let_go}/cancel")
    page.row(let_go, "REVOKED")

    genq.told(film)
    rows = page.tasks()
    assert set(rows) == {picture, film, refused, crowded, let_go}, "jobs, and no plumbing"
    shown = str(rows)
    assert "sk-test" not in shown
    assert genq.key not in shown
    assert genq.webhook_secret not in shown
    assert {row["worker"].partition("-")[0] for row in rows.values()} == {"worker"}, "no ghosts"
