"""Streams while API processes stop and are killed, and others keep writing."""

import asyncio
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from generation.job import Job, JobState
from generation.store import Store
from ops.stack.child_reaper import ChildReaper
from tests.api.events.streaming import Frame, frames
from tests.api.serving import in_store
from tests.api.test_process import Running, running
from tests.services.waiting import wait_for
from tests.unit.jobs import a_job

PATIENCE = timedelta(seconds=60)
WRITERS = 3
JOBS = 60


def failed(job: Job) -> Job:
    now = datetime.now(UTC)
    return job.move(JobState.FAILED, now, finished_at=now, wake_at=None)


@dataclass
class Reader:
    """An EventSource: it reconnects with the id of the last event it has seen."""

    path: str
    seen: list[Frame] = field(default_factory=list[Frame])
    last: str | None = None
    #: Where an API answers at the moment.
    api: Running | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.done.is_set():
            if self.api is None or not self._read(self.api):
                time.sleep(0.05)

    def _read(self, api: Running) -> bool:
        headers = {"last-event-id": self.last} if self.last else {}
        try:
            with api.http.stream("GET", self.path, headers=headers) as response:
                if response.status_code == 204:
                    self.done.set()
                for each in frames(response.iter_lines()):
                    self.seen.append(each)
                    self.last = each.id or self.last
        except (httpx.TransportError, RuntimeError):  # it died, or its client was closed
            return False
        return True


def write(store_url: str, first_written: threading.Event) -> None:
    """Writes what another API and a worker would write."""

    async def orders() -> None:
        store = Store(store_url)
        try:
            for _ in range(JOBS):
                job = await store.jobs.insert(a_job())
                await store.jobs.change(job.id, failed)
                first_written.set()
                await asyncio.sleep(0.02)
        finally:
            await store.close()

    asyncio.run(orders())


def test_restarts_lose_and_repeat_no_event(
    tmp_path: Path, store_url: str, redis_url: str, reaper: ChildReaper
) -> None:
    followed = a_job(id="job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G")
    place = tmp_path, store_url, redis_url, reaper
    everything = Reader("/v1/events/stream")
    one = Reader(f"/v1/jobs/{followed.id}/stream")
    readers = (everything, one)
    began = threading.Event()
    threads = [threading.Thread(target=each.run) for each in readers]
    writers = [threading.Thread(target=write, args=(store_url, began)) for _ in range(WRITERS)]
    try:
        with running(*place) as api:
            everything.last = api.http.get("/v1/events").json()["next_cursor"]
            in_store(api.settings, lambda store: store.jobs.insert(followed))
            for reader in readers:
                reader.api = api
            for thread in (*threads, *writers):
                thread.start()
            assert began.wait(60)
            wait_for(lambda: len(everything.seen) > 30 and one.seen, PATIENCE, "some events")
            assert api.end() < 10, "open streams do not hold it up"
        with running(*place) as api:
            for reader in readers:
                reader.api = api
            before = len(everything.seen)
            wait_for(lambda: len(everything.seen) > before + 30, PATIENCE, "more events")
            api.process.send_signal(signal.SIGKILL)
            api.process.wait(30)
        for thread in writers:
            thread.join(60)
        with running(*place) as api:
            in_store(api.settings, lambda store: store.jobs.change(followed.id, failed))
            for reader in readers:
                reader.api = api
            total = 2 * WRITERS * JOBS + 2
            wait_for(lambda: len(everything.seen) >= total, PATIENCE, "the rest")
            assert one.done.wait(60), "it gets a 204 at the end"
            everything.done.set()
            assert api.end() < 10
    finally:
        for reader in readers:
            reader.done.set()
        for thread in (*threads, *writers):
            if thread.ident is not None:
                thread.join(60)
    stored = in_store(api.settings, read)
    assert [frame.data["id"] for frame in everything.seen] == stored
    assert [(frame.event, frame.id) for frame in one.seen if frame.id] == [
        ("job.queued", "1"),
        ("job.failed", "2"),
    ]


async def read(store: Store) -> list[str]:
    await store.events.place()
    return [event.head.id for event in await store.events.after("acme", 0, 10_000)]
