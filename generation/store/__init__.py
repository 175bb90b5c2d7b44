"""The only package that talks to the database."""

from generation.access.api_key import ApiKey
from generation.store.access.api_keys import ApiKeyStore, new_key
from generation.store.access.secrets import SecretStore
from generation.store.counters import add_to_tallies, totals
from generation.store.engine.database import Database, UnusableDatabase
from generation.store.engine.db_errors import is_unavailable, retry_if_disconnected
from generation.store.engine.migrate import migrate, revisions
from generation.store.engine.unreadable_rows import UnreadableRow
from generation.store.events import EventHead, EventPayload, EventStore, ProgressPayload
from generation.store.jobs.batches import Batch, BatchStore
from generation.store.jobs.claims import ClaimStore, NextWake, StationKey
from generation.store.jobs.erasure import ErasureStore, StillNeeded
from generation.store.jobs.history import HistoryStore
from generation.store.jobs.idempotency import (
    IdempotencyKey,
    IdempotencyStore,
    KeyBusy,
    KeyReused,
    KeyScope,
)
from generation.store.jobs.key_slots import Capacities, SubmitStore, WakeUp
from generation.store.jobs.list import JobFilters
from generation.store.jobs.new_job import InsertResult
from generation.store.jobs.store import Change, Decide, JobStore
from generation.store.jobs.upstream_tasks import TaskHolder
from generation.store.jobs.wait_queues import QueueStore
from generation.store.maintenance.retention import Retention
from generation.store.maintenance.unreadable_log import TABLES, UnreadableRecord, UnreadableRecords
from generation.store.metrics import StoreMetrics, figures
from generation.store.stations.durations import DurationStore, Kind
from generation.store.stations.key_health import KeyHealthStore
from generation.store.webhooks.deliveries import ClaimedDelivery, DeliveryStore
from generation.store.webhooks.delivery_log import DeliveryLog
from generation.store.webhooks.endpoints import EndpointStore, TooManyEndpoints
from generation.store.webhooks.replay import EventReplay

__all__ = [
    "TABLES",
    "ApiKey",
    "ApiKeyStore",
    "Batch",
    "BatchStore",
    "Capacities",
    "Change",
    "ClaimStore",
    "ClaimedDelivery",
    "Database",
    "Decide",
    "DeliveryLog",
    "DeliveryStore",
    "DurationStore",
    "EndpointStore",
    "ErasureStore",
    "EventHead",
    "EventPayload",
    "EventReplay",
    "EventStore",
    "IdempotencyKey",
    "IdempotencyStore",
    "InsertResult",
    "JobFilters",
    "JobStore",
    "KeyBusy",
    "KeyReused",
    "KeyScope",
    "Kind",
    "NextWake",
    "ProgressPayload",
    "QueueStore",
    "Retention",
    "SecretStore",
    "StationKey",
    "StillNeeded",
    "Store",
    "StoreMetrics",
    "TaskHolder",
    "TooManyEndpoints",
    "UnreadableRecord",
    "UnreadableRecords",
    "UnreadableRow",
    "UnusableDatabase",
    "WakeUp",
    "add_to_tallies",
    "figures",
    "is_unavailable",
    "migrate",
    "new_key",
    "retry_if_disconnected",
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
        self.set_aside = UnreadableRecords(self.database)
        self.delivery_log = DeliveryLog(self.database)
        self.endpoints = EndpointStore(self.database)
        self.events = EventStore(self.database, base_url=base_url)
        self.replay = EventReplay(self.database, self.events)
        self.keys = ApiKeyStore(self.database)
        self.histories = HistoryStore(self.database)
        self.batches = BatchStore(self.database)
        self.idempotency = IdempotencyStore(self.database)
        self.accounts = KeyHealthStore(self.database)
        self.queues = QueueStore(self.database)
        self.submits = SubmitStore(self.database, self.jobs)

    async def close(self) -> None:
        await self.database.close()
