"""
Which tenants have an endpoint that wants to hear of progress.

Progress is worth an event only to who asked for it, and it moves often: so who asked is looked up
now and then, not with every move, and only while jobs run.
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

#: A new endpoint hears of progress after this.
BELIEVED = timedelta(seconds=5)

WANTING = select(webhook_endpoints).where(
    webhook_endpoints.c.enabled, cast(webhook_endpoints.c.events, Text).contains(PROGRESS)
)


class Watchers:
    """Known to be so a few seconds ago. One for each process."""

    def __init__(self) -> None:
        self._of_tenants: dict[str, list[RegisteredEndpoint]] = {}
        self._asked_at = -inf

    async def refresh(self, connection: AsyncConnection) -> None:
        """Ask the store, if it was long ago."""
        if monotonic() - self._asked_at >= BELIEVED.total_seconds():
            found: defaultdict[str, list[RegisteredEndpoint]] = defaultdict(list)
            said = await read(connection, WANTING, webhook_endpoints.c.id, read_endpoints)
            for each in said.found:
                found[each.tenant].append(each)
            self._of_tenants = dict(found)
            self._asked_at = monotonic()

    def want(self, job: Job) -> bool:
        """Whether any of them wants to hear of this job's progress."""
        watching = self._of_tenants.get(job.tenant, ())
        return any(endpoint.wants(PROGRESS, job.metadata) for endpoint in watching)
