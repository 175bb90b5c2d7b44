"""
A client of genq: order generation jobs, wait for them, and be told what came of them.

    with genq.Client("https://genq.example.com", key="genq_…") as client:
        job = client.submit("kling.text2video", {"prompt": "a paper boat", "duration": 5})
        for asset in client.wait(job.id).assets:
            print(asset.url)

`AsyncClient` has the same methods, awaited. Everything either raises is a `GenqError`.
"""

from genq.async_client import AsyncClient
from genq.batch import Batch, Rejected
from genq.calls import build_order as order
from genq.client import Client
from genq.endpoint import Endpoint
from genq.errors import (
    GenqError,
    NotEnded,
    NotFound,
    NotGenq,
    Refused,
    Unanswered,
    Unreachable,
    UnverifiedWebhook,
)
from genq.event import Event, verify_webhook
from genq.job import Asset, Job, JobError

__all__ = [
    "Asset",
    "AsyncClient",
    "Batch",
    "Client",
    "Endpoint",
    "Event",
    "GenqError",
    "Job",
    "JobError",
    "NotEnded",
    "NotFound",
    "NotGenq",
    "Refused",
    "Rejected",
    "Unanswered",
    "Unreachable",
    "UnverifiedWebhook",
    "order",
    "verify_webhook",
]
