"""Alternative: the usual Celery tutorial, one task that submits, sleeps and polls.

A worker thread or process is busy with one job from beginning to end.
"""

import os
import time
from typing import Any

import httpx
from celery import Celery

STATION = os.environ["BENCH_STATION"]
HOOK = os.environ["BENCH_HOOK"]
VIDEOS = f"{STATION}/kling/v1/videos/text2video"
POLL_SECONDS = 1

app: Any = Celery("sleeping", broker=os.environ["BENCH_REDIS_URL"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1)
client = httpx.Client(
    headers={"authorization": "Bearer sk-bench"},
    timeout=30,
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=200),
    trust_env=False,
)


@app.task(name="sleeping.generate")
def generate(job_id: str, prompt: str) -> None:
    body = {"prompt": prompt, "external_task_id": job_id}
    task_id = client.post(VIDEOS, json=body).raise_for_status().json()["data"]["task_id"]
    while True:
        time.sleep(POLL_SECONDS)
        task = client.get(f"{VIDEOS}/{task_id}").raise_for_status().json()["data"]
        if task["task_status"] in ("succeed", "failed"):
            break
    client.post(HOOK, json={"data": {"id": job_id, "task": task}}).raise_for_status()
