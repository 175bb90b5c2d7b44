"""Tenants with an endpoint that subscribes to progress.

Progress is an event only for subscribers, and it changes often, so they are looked up every few
seconds, not with every move, and only while jobs run.
"""

from collections import defaultdict
from datetime import timedelta
from math import inf
from time import monotonic

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.events import PROGRESS
from generation.job import Job
from generation.store.engine.unreadable_rows import read
from generation.store.schema import webhook_endpoints
from generation.store.webhooks.endpoint_rows import read_endpoints
from generation.webhooks.endpoint import RegisteredEndpoint

#: A new endpoint gets progress after this time.
BELIEVED = timedelta(seconds=5)

WANTING = select(webhook_endpoints).where(
    webhook_endpoints.c.enabled, cast(webhook_endpoints.c.events, Text).contains(PROGRESS)
)


class ProgressSubscribers:
    """The subscribers of a few seconds ago. One object per process."""

    def __init__(self) -> None:
        self._of_tenants: dict[str, list[RegisteredEndpoint]] = {}
        self._asked_at = -inf

    async def refresh(self, connection: AsyncConnection) -> None:
        """Read them from the store if that was long ago."""
        if monotonic() - self._asked_at >= BELIEVED.total_seconds():
            found: defaultdict[str, list[RegisteredEndpoint]] = defaultdict(list)
            result = await read(connection, WANTING, webhook_endpoints.c.id, read_endpoints)
            for each in result.found:
                found[each.tenant].append(each)
            self._of_tenants = dict(found)
            self._asked_at = monotonic()

    def want(self, job: Job) -> bool:
        """Return whether any of them subscribes to this job's progress."""
        watching = self._of_tenants.get(job.tenant, ())
        return any(endpoint.wants(PROGRESS, job.metadata) for endpoint in watching)
