"""Alternative: Celery with `self.retry`; each poll is the task again, with a countdown."""

import os
from typing import Any

import httpx
from celery import Celery

STATION = os.environ["BENCH_STATION"]
HOOK = os.environ["BENCH_HOOK"]
VIDEOS = f"{STATION}/kling/v1/videos/text2video"
POLL_SECONDS = 1

app: Any = Celery("retrying", broker=os.environ["BENCH_REDIS_URL"])
app.conf.update(task_ignore_result=True)
client = httpx.Client(headers={"authorization": "Bearer sk-bench"}, timeout=30, trust_env=False)


@app.task(name="retrying.generate")
def generate(job_id: str, prompt: str) -> None:
    body = {"prompt": prompt, "external_task_id": job_id}
    task_id = client.post(VIDEOS, json=body).raise_for_status().json()["data"]["task_id"]
    look.apply_async((job_id, task_id), countdown=POLL_SECONDS)


@app.task(name="retrying.look", bind=True, max_retries=None)
def look(self: Any, job_id: str, task_id: str) -> None:
    task = client.get(f"{VIDEOS}/{task_id}").raise_for_status().json()["data"]
    if task["task_status"] not in ("succeed", "failed"):
        raise self.retry(countdown=POLL_SECONDS)
    client.post(HOOK, json={"data": {"id": job_id, "task": task}}).raise_for_status()
