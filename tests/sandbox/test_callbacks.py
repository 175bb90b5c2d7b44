"""Callbacks: what a task's URL is told as time goes on."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ops.sandbox.handle import SandboxHandle
from tests.integration.webhooks.receiver import Receiver, answering, receiver
from tests.sandbox.callers import KLING, MJ_DIRECT, MJ_STATION, Caller
from tests.services.waiting import wait_for_async

PATIENCE = timedelta(seconds=30)
HOOKS = {"mj": "notifyHook", "kling": "callback_url"}


@pytest.fixture
async def listener() -> AsyncGenerator[Receiver]:
    async with receiver(answering()) as listening:
        yield listening


def told(listener: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in listener.requests]


async def wait_for_callbacks(listener: Receiver, count: int) -> None:
    await wait_for_async(lambda: len(told(listener)) >= count, PATIENCE, f"callback {count}")


async def submit(client: httpx.Client, caller: Caller, prompt: str, url: str) -> str:
    hook = {HOOKS[caller.name.split()[0]]: url}
    answer = await asyncio.to_thread(caller.submit, client, prompt, "job-1", **hook)
    return caller.id_of(answer.raise_for_status().json())


async def test_a_midjourney_task_tells_of_each_change(
    listener: Receiver, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    await submit(client, MJ_DIRECT, "a cat [seconds=100]", listener.url)
    for told_before, step in enumerate((3, 3, 10, 85)):
        await asyncio.to_thread(sandbox.advance, step)
        await wait_for_callbacks(listener, told_before + 1)
    assert [(task["status"], task["progress"]) for task in told(listener)] == [
        ("SUBMITTED", "0%"),
        ("IN_PROGRESS", "0%"),
        ("IN_PROGRESS", "15%"),
        ("SUCCESS", "100%"),
    ]
    assert listener.requests[0].headers["content-type"] == "application/json"
    last = told(listener)[-1]
    assert (last["state"], last["properties"]["notifyHook"]) == ("job-1", listener.url)
    assert last["imageUrl"].startswith(sandbox.url)


async def test_a_kling_task_tells_without_an_envelope(
    listener: Receiver, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    task_id = await submit(client, KLING, "a cat [seconds=0]", listener.url)
    await wait_for_callbacks(listener, 1)
    [task] = told(listener)
    assert (task["task_id"], task["task_status"]) == (task_id, "succeed")
    assert task["task_info"]["external_task_id"] == "job-1"


async def test_a_task_that_had_to_wait_or_is_canceled_tells_too(
    listener: Receiver, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    await asyncio.to_thread(sandbox.configure, running_slots=1)
    first = await asyncio.to_thread(MJ_DIRECT.created, client, "a cat [stuck]")
    await submit(client, MJ_DIRECT, "a cat [seconds=10]", listener.url)
    await asyncio.to_thread(
        client.post, f"/mj/task/{first}/cancel", headers=dict(MJ_DIRECT.headers)
    )
    await asyncio.to_thread(sandbox.configure, speed=50)
    await wait_for_async(
        lambda: [task for task in told(listener) if task["status"] == "SUCCESS"],
        PATIENCE,
        "its end",
    )
    await asyncio.to_thread(sandbox.configure, speed=0)
    second = await submit(client, MJ_DIRECT, "a cat", listener.url)
    await asyncio.to_thread(
        client.post, f"/mj/task/{second}/cancel", headers=dict(MJ_DIRECT.headers)
    )
    await wait_for_async(
        lambda: told(listener)[-1]["failReason"] == "取消任务", PATIENCE, "the cancellation"
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nonsense", "http://[::1", "ftp://x/"])
async def test_a_url_that_cannot_be_told_harms_nobody(
    url: str, listener: Receiver, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    await submit(client, MJ_STATION, "a cat [seconds=0]", url)
    await submit(client, MJ_STATION, "a cat [seconds=0]", listener.url)
    await wait_for_callbacks(listener, 1)
    assert told(listener)[0]["status"] == "SUCCESS"
