"""The demonstration's API client: submits jobs, waits for them, fetches their files."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx

from generation.job import TERMINAL
from ops.local.client_credentials import ClientCredentials
from ops.local.demo_outcome import FileCheck

POLL_EVERY = timedelta(milliseconds=250)
TIMEOUT_SECONDS = 10

#: Called with the job after each poll until it ends.
OnPoll = Callable[[dict[str, Any]], None]


class SubmitRefused(Exception):
    """The API did not accept a job; the message is the API's."""


class DemoClient:
    """Calls the API with the stack's key, and file servers without it."""

    def __init__(self, api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
        self._api = api
        self._web = web

    async def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Submit a job and return it. Raises `SubmitRefused`."""
        try:
            answer = await self._api.post("/v1/jobs", json=body)
        except httpx.TransportError as error:
            raise SubmitRefused(
                f"the API did not respond: {type(error).__name__} {error}"
            ) from None
        if answer.status_code != HTTPStatus.ACCEPTED:
            raise SubmitRefused(
                f"the API returned HTTP {answer.status_code}: {problem_text(answer)}"
            )
        return answer.json()

    async def wait_until_ended(
        self, job: dict[str, Any], on_poll: OnPoll, within: timedelta
    ) -> dict[str, Any]:
        """Return the ended job, or its last known state after the timeout.

        Retries while the API is unreachable.
        """
        until = asyncio.get_running_loop().time() + within.total_seconds()
        while job["state"] not in TERMINAL and asyncio.get_running_loop().time() < until:
            on_poll(job)
            await asyncio.sleep(POLL_EVERY.total_seconds())
            try:
                answer = await self._api.get(f"/v1/jobs/{job['id']}")
            except httpx.TransportError:
                continue
            if answer.status_code == HTTPStatus.OK:
                job = answer.json()
        return job

    async def fetch(self, asset: dict[str, Any]) -> FileCheck:
        """Check that the asset's URL serves a file of the asset's type."""
        url = str(asset["url"])
        return FileCheck(url=url, kind=str(asset["type"]), fault=await self._check_file(url, asset))

    async def paid_counts(self, sandbox_url: str) -> dict[str, int]:
        """Return how many tasks the sandbox has charged, by job."""
        answer = await self._web.get(f"{sandbox_url}/_sandbox/stats")
        answer.raise_for_status()
        return answer.json()["paid_by_reference"]

    async def _check_file(self, url: str, asset: dict[str, Any]) -> str | None:
        try:
            answer = await self._web.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__} {error}".strip()
        kind = answer.headers.get("content-type", "")
        if answer.status_code != HTTPStatus.OK:
            return f"HTTP {answer.status_code}"
        if not kind.startswith(f"{asset['type']}/"):
            return f"its type is {kind or 'missing'}, not {asset['type']}"
        return None if answer.content else "it is empty"


def problem_text(answer: httpx.Response) -> str:
    """Return the `detail` of a problem document, or the beginning of the text."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text.strip()[:500]


@asynccontextmanager
async def demo_client(client: ClientCredentials) -> AsyncGenerator[DemoClient]:
    """Yield a client with the stack's key, without a proxy."""
    headers = {"authorization": f"Bearer {client.key}"}
    async with (
        httpx.AsyncClient(
            base_url=client.url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
        ) as api,
        httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as web,
    ):
        yield DemoClient(api, web)
