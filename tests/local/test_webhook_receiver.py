"""The demonstration's receiver accepts only correctly signed webhooks."""

import json
import time
from datetime import timedelta

import httpx

from generation.webhooks.signature import new_secret, sign
from ops.local.webhook_receiver import running_receiver

BODY = json.dumps({"type": "job.succeeded", "data": {"id": "job_1"}}).encode()
SOON = timedelta(seconds=30)


def headers(secret: str) -> dict[str, str]:
    now = int(time.time())
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign([secret], "evt_1", now, BODY),
    }


async def test_a_verified_webhook_is_accepted() -> None:
    secret = new_secret()
    async with running_receiver(secret) as receiver, httpx.AsyncClient(trust_env=False) as sender:
        answer = await sender.post(receiver.url, content=BODY, headers=headers(secret))
        assert answer.status_code == 204
        assert await receiver.wait_for_event("job_1", SOON) == "job.succeeded"
        assert await receiver.wait_for_event("job_2", timedelta(0)) is None
        assert receiver.refused == 0


async def test_a_forged_webhook_is_rejected() -> None:
    async with (
        running_receiver(new_secret()) as receiver,
        httpx.AsyncClient(trust_env=False) as sender,
    ):
        answer = await sender.post(receiver.url, content=BODY, headers=headers(new_secret()))
        assert answer.status_code == 401
        assert await receiver.wait_for_event("job_1", timedelta(0)) is None
        assert receiver.refused == 1
