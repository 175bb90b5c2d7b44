"""A caller of genq: orders jobs, watches them, and fetches what they made."""

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

LOOK_EVERY = timedelta(milliseconds=250)
TIMEOUT_SECONDS = 10

#: Called with the job each time it has been looked at and has not ended.
OnLook = Callable[[dict[str, Any]], None]


class SubmitRefused(Exception):
    """The API did not take an order; the message is its own."""


class DemoClient:
    """Speaks to the API with the client's key, and to whoever serves the files without it."""

    def __init__(self, api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
        self._api = api
        self._web = web

    async def demo_job(self, body: dict[str, Any]) -> dict[str, Any]:
        """The accepted job. Raises `SubmitRefused`."""
        try:
            answer = await self._api.post("/v1/jobs", json=body)
        except httpx.TransportError as error:
            raise SubmitRefused(f"the API gave no answer: {type(error).__name__} {error}") from None
        if answer.status_code != HTTPStatus.ACCEPTED:
            raise SubmitRefused(f"the API answered {answer.status_code}: {complaint(answer)}")
        return answer.json()

    async def follow(
        self, job: dict[str, Any], on_look: OnLook, within: timedelta
    ) -> dict[str, Any]:
        """
        The job at its end, or as it is when time is up. An API that is away is asked again.
        """
        until = asyncio.get_running_loop().time() + within.total_seconds()
        while job["state"] not in TERMINAL and asyncio.get_running_loop().time() < until:
            on_look(job)
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            try:
                answer = await self._api.get(f"/v1/jobs/{job['id']}")
            except httpx.TransportError:
                continue
            if answer.status_code == HTTPStatus.OK:
                job = answer.json()
        return job

    async def fetch(self, asset: dict[str, Any]) -> FileCheck:
        """Whether the asset's URL serves a file of the asset's kind."""
        url = str(asset["url"])
        return FileCheck(url=url, kind=str(asset["type"]), fault=await self._fault(url, asset))

    async def paid(self, sandbox_url: str) -> dict[str, int]:
        """How many tasks the sandbox has charged for each job."""
        answer = await self._web.get(f"{sandbox_url}/_sandbox/stats")
        answer.raise_for_status()
        return answer.json()["paid_by_reference"]

    async def _fault(self, url: str, asset: dict[str, Any]) -> str | None:
        try:
            answer = await self._web.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__} {error}".strip()
        kind = answer.headers.get("content-type", "")
        if answer.status_code != HTTPStatus.OK:
            return f"HTTP {answer.status_code}"
        if not kind.startswith(f"{asset['type']}/"):
            return f"it is {kind or 'of no type'}, not {asset['type']}"
        return None if answer.content else "it is empty"


def complaint(answer: httpx.Response) -> str:
    """What a refusal says: the `detail` of a problem document, or the beginning of its text."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text.strip()[:500]


@asynccontextmanager
async def demo_client(client: ClientCredentials) -> AsyncGenerator[DemoClient]:
    """A caller with the client's key; no proxy of the environment comes between."""
    headers = {"authorization": f"Bearer {client.key}"}
    async with (
        httpx.AsyncClient(
            base_url=client.url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
        ) as api,
        httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as web,
    ):
        yield DemoClient(api, web)
