"""A client of genq: submit generation jobs, wait for them, receive their events.

with genq.Client("https://genq.example.com", key="genq_…") as client:
    job = client.submit("kling.text2video", {"prompt": "a paper boat", "duration": 5})
    for asset in client.wait(job.id).assets:
        print(asset.url)

`AsyncClient` has the same methods for asyncio. Both raise only `GenqError`s for failed calls, and
`ValueError` or `TypeError` for invalid arguments.

Everything but the I/O is written once: a call is a generator of steps (`genq.steps`, `genq.calls`)
that each client performs in its own way. The two classes remain because type checkers need to see
both signatures of a method, `Job` and `Awaitable[Job]`.
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
