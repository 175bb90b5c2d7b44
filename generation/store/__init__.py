"""
The only package that talks to the database.
"""

from generation.store.accounts import AccountStore
from generation.store.batches import Batch, BatchStore
from generation.store.birth import Placed
from generation.store.claims import ClaimStore, Lane, NextWake
from generation.store.database import Database, UnusableDatabase
from generation.store.deliveries import Claimed, DeliveryStore
from generation.store.delivery_log import DeliveryLog
from generation.store.durations import DurationStore, Kind
from generation.store.endpoints import EndpointStore, TooManyEndpoints
from generation.store.erasure import ErasureStore, StillNeeded
from generation.store.events import EventStore, Head, Progress, Told
from generation.store.figures import Figures, figures
from generation.store.idempotency import (
    IdempotencyKey,
    IdempotencyStore,
    KeyBusy,
    KeyReused,
    KeyScope,
)
from generation.store.jobs import Change, Decide, JobStore
from generation.store.keys import ApiKey, KeyStore, new_key
from generation.store.lists import Filters
from generation.store.migrate import migrate, revisions
from generation.store.queues import QueueStore
from generation.store.replay import Replay
from generation.store.retention import Retention
from generation.store.secrets import SecretStore
from generation.store.set_aside import TABLES, SetAside, SetAsideStore
from generation.store.stories import Stories
from generation.store.submits import Call, Capacities, SubmitStore
from generation.store.tallies import add_to_tallies, totals
from generation.store.trouble import again_if_cut, is_away
from generation.store.unreadable import UnreadableRow
from generation.store.upstream_tasks import Holder

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
    """One process's access to everything on disk. Lives on one event loop."""

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
