"""Alternative: taskiq, an asyncio task queue, with one coroutine per job."""

import asyncio
import os
from typing import Any

import httpx
from taskiq import TaskiqEvents
from taskiq_redis import ListQueueBroker

STATION = os.environ["BENCH_STATION"]
HOOK = os.environ["BENCH_HOOK"]
VIDEOS = f"{STATION}/kling/v1/videos/text2video"
POLL_SECONDS = 1

broker = ListQueueBroker(
    os.environ["BENCH_REDIS_URL"],
    queue_name="coroutines",
    socket_timeout=None,  # it waits in one long call, which redis-py's timeout would interrupt
)


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def start(state: Any) -> None:
    state.client = httpx.AsyncClient(
        headers={"authorization": "Bearer sk-bench"},
        timeout=30,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=200),
        trust_env=False,
    )


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def stop(state: Any) -> None:
    await state.client.aclose()


@broker.task("coroutines.generate")
async def generate(job_id: str, prompt: str) -> None:
    client: httpx.AsyncClient = broker.state.client
    body = {"prompt": prompt, "external_task_id": job_id}
    answer = await client.post(VIDEOS, json=body)
    task_id = answer.raise_for_status().json()["data"]["task_id"]
    while True:
        await asyncio.sleep(POLL_SECONDS)
        answer = await client.get(f"{VIDEOS}/{task_id}")
        task = answer.raise_for_status().json()["data"]
        if task["task_status"] in ("succeed", "failed"):
            break
    (await client.post(HOOK, json={"data": {"id": job_id, "task": task}})).raise_for_status()
