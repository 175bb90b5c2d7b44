"""The poller with stations that hang or throttle."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from generation.counters import STRANGE_WORDS
from generation.job import Job, JobState
from generation.queue import celery_app
from generation.stations.config_file import load_stations
from tests.api.serving import settings_of
from tests.integration.upstream.servers import Act, acting, answer
from tests.services.waiting import wait_for_async
from tests.unit.jobs import a_job
from worker import ticker as its_ticker
from worker.context import WorkerContext
from worker.polling.poller import Poller
from worker.ticker import Ticker

JOBS = 60
PATIENCE = timedelta(seconds=60)
RUNNING = b'{"code": 0, "data": {"task_id": "t", "task_status": "processing"}}'
STATION = """
[[stations]]
name = "{name}"
url = "{url}"
speed = 100
keys = [{{ name = "main", env = "PATH" }}]
speaks = {{ kling = {{ dialect = "kling.relay" }} }}
"""


class Host:
    """A station that counts looks by task and hangs in every `hangs_at`-th."""

    def __init__(self, hangs_at: int | None = None, response: bytes = answer(RUNNING)) -> None:
        self.looks: Counter[str] = Counter()
        self.hanging = 0
        self.most_hanging = 0
        self._hangs_at = hangs_at
        self._response = response

    async def act(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        self.looks[head.split(b" ", 2)[1].decode().rsplit("/", 1)[1]] += 1
        if self._hangs_at and self.looks.total() % self._hangs_at == 0:
            self.hanging += 1
            self.most_hanging = max(self.most_hanging, self.hanging)
            try:
                await asyncio.sleep(5)
            finally:
                self.hanging -= 1
        writer.write(self._response)

    def looked_at_all(self, times: int) -> bool:
        return len(self.looks) == JOBS and min(self.looks.values()) >= times


@asynccontextmanager
async def ticking(
    folder: Path, store_url: str, redis_url: str, **hosts: Act
) -> AsyncGenerator[WorkerContext]:
    """Run a ticker with one station for each of these hosts."""
    async with AsyncExitStack() as stack:
        urls = {name: await stack.enter_async_context(acting(act)) for name, act in hosts.items()}
        file = folder / "stations.toml"
        file.write_text("".join(STATION.format(name=name, url=url) for name, url in urls.items()))
        settings = settings_of(
            folder,
            store_url,
            redis_url,
            tick=timedelta(seconds=0.05),
            look_timeout=timedelta(seconds=3),
            looks_in_flight=36,
            looks_per_station=30,
            looks_per_key=30,
        )
        context = WorkerContext(settings, load_stations(settings), celery_app(settings), "test")
        ticker = Ticker(context)
        running = asyncio.create_task(ticker.run())
        try:
            yield context
        finally:
            context.is_stopping = True
            await ticker.drain()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await context.close()


async def started(context: WorkerContext, station: str, **changes: object) -> list[Job]:
    """Insert jobs that run at this station and are due now."""
    now = datetime.now(UTC)
    known = {"created_at": now, "updated_at": now, "submitted_at": now, "started_at": now}
    known |= {"wake_at": now, "deadline": now + timedelta(hours=1), "station": station, **changes}
    jobs = [a_job(JobState.RUNNING, upstream_id=f"t{n}", **known) for n in range(JOBS)]
    await asyncio.gather(*(context.store.jobs.insert(job) for job in jobs))
    return jobs


async def test_a_hanging_station_delays_no_other_station(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    """One answer in twenty hangs for 5 s at one station, and all of them at another."""
    well, slow, hung = Host(), Host(hangs_at=20), Host(hangs_at=1)
    hosts = {"hung": hung.act, "slow": slow.act, "well": well.act}
    async with ticking(tmp_path, sqlite_url, redis_url, **hosts) as context:
        for station in hosts:
            await started(context, station)
        await wait_for_async(lambda: hung.hanging >= 20, PATIENCE, "the hung station to hang")
        hanging, before = hung.looks.total(), well.looks.total()
        await wait_for_async(
            lambda: well.looked_at_all(10) and slow.looked_at_all(5),
            PATIENCE,
            "everybody else's tasks to be looked at again and again",
        )
        assert well.looks.total() - before > 5 * (hung.looks.total() - hanging)
        assert hung.most_hanging <= 30, "no more than a station may have"
        await wait_for_async(
            lambda: context.breakers.is_open("hung"), PATIENCE, "the breaker of the hung station"
        )
        assert not context.breakers.is_open("well")
        assert not context.breakers.is_open("slow"), "one in twenty is no reason"
        states = await context.store.jobs.counts()
        assert states == {"running": 3 * JOBS}, "no look that hangs fails a job"


async def test_a_throttled_key_is_slowed_and_its_jobs_still_expire(
    tmp_path: Path, sqlite_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(its_ticker, "DEADLINES_EVERY", timedelta(seconds=3))
    busy = Host(response=answer(b"{}", "429 Too Many Requests", "retry-after: 3600"))
    well = Host()
    hosts = {"busy": busy.act, "well": well.act}
    async with ticking(tmp_path, sqlite_url, redis_url, **hosts) as context:
        await started(context, "busy", deadline=datetime.now(UTC) + timedelta(seconds=2))
        await started(context, "well")
        await wait_for_async(lambda: well.looked_at_all(10), PATIENCE, "the other station's looks")
        assert busy.looks.total() <= 30, "one wave, and then an hour's patience"
        assert not context.breakers.is_open("busy"), "too fast is not down"
        states = await wait_for_async(
            lambda: all_expired(context), PATIENCE, "the jobs nobody may ask about to expire"
        )
        assert states == {"running": JOBS, "expired": JOBS}


async def test_a_throttled_key_is_slowed_in_all_workers(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    """The second worker has asked nothing when the first one is told to wait an hour."""
    busy = Host(response=answer(b"{}", "429 Too Many Requests", "retry-after: 3600"))
    async with ticking(tmp_path, sqlite_url, redis_url, busy=busy.act) as first:
        await started(first, "busy")

        async def noted() -> bool:
            account = (await first.store.accounts.all()).get(("busy", "main"))
            return account is not None and account.look_after is not None

        await wait_for_async(noted, PATIENCE, "the pause to be written down")
        second = WorkerContext(first.settings, first.stations, celery_app(first.settings), "second")
        try:
            looks = Poller(second)
            second.accounts = await second.store.accounts.all()
            assert looks.rooms() == {("busy", "main"): 30}
            looks.join_pauses()
            assert looks.rooms() == {}
        finally:
            await second.close()


async def all_expired(context: WorkerContext) -> dict[str, int] | None:
    counts = await context.store.jobs.counts()
    return counts if counts.get("expired") == JOBS else None


async def test_an_unknown_status_word_is_logged_once_and_counted(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    strange = Host(response=answer(RUNNING.replace(b"processing", b"pondering")))
    with structlog.testing.capture_logs() as logs:
        async with ticking(tmp_path, sqlite_url, redis_url, strange=strange.act) as context:
            await started(context, "strange")
            await wait_for_async(lambda: strange.looked_at_all(2), PATIENCE, "looks")
            assert context.counts.all[STRANGE_WORDS] >= JOBS
            assert await context.store.jobs.counts() == {"running": JOBS}
    logged = [entry for entry in logs if entry["event"] == "unknown_status_word"]
    assert [(entry["station"], entry["word"]) for entry in logged] == [("strange", "pondering")]
