"""The only package that talks to the database."""

from generation.access.api_key import ApiKey
from generation.store.access.api_keys import KeyStore, new_key
from generation.store.access.secrets import SecretStore
from generation.store.counters import add_to_tallies, totals
from generation.store.engine.database import Database, UnusableDatabase
from generation.store.engine.db_errors import again_if_cut, is_away
from generation.store.engine.migrate import migrate, revisions
from generation.store.engine.unreadable_rows import UnreadableRow
from generation.store.events import EventStore, Head, Progress, Told
from generation.store.jobs.batches import Batch, BatchStore
from generation.store.jobs.claims import ClaimStore, Lane, NextWake
from generation.store.jobs.erasure import ErasureStore, StillNeeded
from generation.store.jobs.history import Stories
from generation.store.jobs.idempotency import (
    IdempotencyKey,
    IdempotencyStore,
    KeyBusy,
    KeyReused,
    KeyScope,
)
from generation.store.jobs.key_slots import Call, Capacities, SubmitStore
from generation.store.jobs.list import Filters
from generation.store.jobs.new_job import Placed
from generation.store.jobs.store import Change, Decide, JobStore
from generation.store.jobs.upstream_tasks import Holder
from generation.store.jobs.wait_queues import QueueStore
from generation.store.maintenance.retention import Retention
from generation.store.maintenance.unreadable_log import TABLES, SetAside, SetAsideStore
from generation.store.metrics import Figures, figures
from generation.store.stations.durations import DurationStore, Kind
from generation.store.stations.key_health import AccountStore
from generation.store.webhooks.deliveries import Claimed, DeliveryStore
from generation.store.webhooks.delivery_log import DeliveryLog
from generation.store.webhooks.endpoints import EndpointStore, TooManyEndpoints
from generation.store.webhooks.replay import Replay

__all__ = [
    "TABLES",
    "ApiKey",
    "Batch",
    "BatchStore",
    "Call",
    "Capacities",
    "Change",
    "ClaimStore",
    "Claimed",
    "Database",
    "Decide",
    "DeliveryLog",
    "DeliveryStore",
    "DurationStore",
    "EndpointStore",
    "ErasureStore",
    "EventStore",
    "Figures",
    "Filters",
    "Head",
    "Holder",
    "IdempotencyKey",
    "IdempotencyStore",
    "JobStore",
    "KeyBusy",
    "KeyReused",
    "KeyScope",
    "KeyStore",
    "Kind",
    "Lane",
    "NextWake",
    "Placed",
    "Progress",
    "QueueStore",
    "Replay",
    "Retention",
    "SecretStore",
    "SetAside",
    "SetAsideStore",
    "StillNeeded",
    "Store",
    "Told",
    "TooManyEndpoints",
    "UnreadableRow",
    "UnusableDatabase",
    "add_to_tallies",
    "again_if_cut",
    "figures",
    "is_away",
    "migrate",
    "new_key",
    "revisions",
    "totals",
]


class Store:
    """The database as one process uses it. Belongs to one event loop."""

    def __init__(self, url: str, *, base_url: str = "", pool_size: int = 8) -> None:
        self.database = Database(url, pool_size=pool_size)
        self.jobs = JobStore(self.database, base_url=base_url)
        self.claims = ClaimStore(self.database)
        self.durations = DurationStore(self.database)
        self.secrets = SecretStore(self.database)
        self.deliveries = DeliveryStore(self.database)
        self.erasure = ErasureStore(self.database, base_url=base_url)
        self.retention = Retention(self.database)
        self.set_aside = SetAsideStore(self.database)
        self.delivery_log = DeliveryLog(self.database)
        self.endpoints = EndpointStore(self.database)
        self.events = EventStore(self.database, base_url=base_url)
        self.replay = Replay(self.database, self.events)
        self.keys = KeyStore(self.database)
        self.stories = Stories(self.database)
        self.batches = BatchStore(self.database)
        self.idempotency = IdempotencyStore(self.database)
        self.accounts = AccountStore(self.database)
        self.queues = QueueStore(self.database)
        self.submits = SubmitStore(self.database, self.jobs)

    async def close(self) -> None:
        await self.database.close()
