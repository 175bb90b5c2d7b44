"""The environment of a run: a whole genq with its services, proxies, and a caller."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from generation.store import migrate, new_key
from generation.webhooks.signature import new_secret
from ops.faults.books import Books
from ops.faults.field import Field
from ops.faults.house import STATIONS, House, Lines
from ops.faults.orders import Caller
from ops.faults.proxy import Proxy, proxied
from ops.faults.recovery import Recoveries
from ops.sandbox.config import SandboxConfig
from ops.sandbox.handle import SandboxHandle, running_sandbox
from ops.stack.broker import BrokerProcess, local_broker
from ops.stack.child_reaper import ChildReaper
from tests.deployment.receiver import Receiver, running_receiver
from tests.services.postgres import Cluster
from tests.services.postgres_installation import installation

#: Sandbox seconds a second in a long and in a short run; how long tasks take in sandbox seconds.
SPEED, SHORT_SPEED = 20, 60
DURATIONS = {"midjourney.imagine": 100.0, "kling.text2video": 120.0}
DISK_SIZE = "48m"

#: The defaults, apart from what a receiver on this machine needs.
LONG: Mapping[str, str] = {
    "GENQ_WEBHOOK_ALLOW_HTTP": "true",
    "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
    "GENQ_WEBHOOK_SCHEDULE": "0,5s,5s,5s,5s,5s,5s,5s,5s,5s,30s",
}
#: And with everything quicker that a minute has no time for.
SHORT: Mapping[str, str] = {
    **LONG,
    "GENQ_TICK": "0.1",
    "GENQ_NUDGE_AGAIN": "1",
    "GENQ_RETRY_BASE": "0.2",
    "GENQ_SUBMIT_LEASE": "2",
    "GENQ_LOOK_TIMEOUT": "2",
    "GENQ_WORKER_CONCURRENCY": "16",
    "GENQ_WEBHOOK_TIMEOUT": "2",
    "GENQ_WEBHOOK_SCHEDULE": "0,0.5,0.5,0.5,0.5,0.5,0.5,0.5,1,1,5",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to do; with the same seed, the same orders and the same strikes in the same order."""

    seed: int
    jobs: int
    #: `postgresql` or `sqlite`.
    store: str
    is_short: bool = False
    #: Only the points with these numbers; empty for all.
    only: Collection[int] = ()
    #: Where the processes' logs are left; None to leave nothing.
    logs: Path | None = None
    workers: int = 2
    #: Orders a second.
    rate: float = 4
    #: Violence ends after this, whatever has been accepted by then.
    violence_seconds: float = 1500
    #: And peace after this.
    peace_seconds: float = 400


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a run needs, running."""

    field: Field
    caller: Caller
    sandbox: SandboxHandle
    receiver: Receiver


@contextmanager
def staged(options: Options) -> Generator[Stage]:
    """A whole genq with its services, and a caller that has not begun."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="genq-faults-")))
        reaper = stack.enter_context(ChildReaper())
        broker = BrokerProcess(local_broker(folder / "broker", os.environ), reaper)
        stack.enter_context(broker)
        speed = SHORT_SPEED if options.is_short else SPEED
        config = SandboxConfig(speed=speed, durations=DURATIONS)
        sandbox = stack.enter_context(running_sandbox(config))
        receiver = stack.enter_context(running_receiver())
        server, disk = None, None
        if options.store == "postgresql":
            programs = stack.enter_context(installation(os.environ))
            server = stack.enter_context(Cluster(programs, "faults", reaper))
            url = server.url
        else:
            disk = stack.enter_context(small_disk(folder / "disk"))
            url = f"sqlite+aiosqlite:///{folder}/disk/genq.db"
        migrate(url)
        books = Books(url)
        stack.callback(books.close)
        key = new_key()
        books.add_key("faults", key, new_secret())
        lines = Lines(
            database=stack.enter_context(line_to(server.url)) if server else None,
            broker=stack.enter_context(line_to(broker.url)),
            station=stack.enter_context(line_to(sandbox.url)),
            receiver=stack.enter_context(line_to(receiver.url)),
        )
        settings = {
            **(SHORT if options.is_short else LONG),
            "GENQ_DATA_DIR": str(folder),
            "GENQ_DATABASE_URL": through(url, lines.database) if lines.database else url,
            "GENQ_REDIS_URL": through(broker.url, lines.broker),
            "GENQ_STATIONS_FILE": str(folder / "stations.toml"),
            "FAULTS_STATION_KEY": "sk-faults",
        }
        station = through(sandbox.url, lines.station)
        (folder / "stations.toml").write_text(
            STATIONS.format(url=station, speed=speed, face="station")
        )
        recoveries = Recoveries(books)
        stack.callback(recoveries.close)
        house = House(folder, reaper, lines, settings, options.workers)
        if options.logs is not None:
            stack.callback(leave_logs, folder, options.logs)
        stack.callback(house.close)
        house.start()
        caller = Caller(
            house.url,
            key,
            through(receiver.url, lines.receiver),
            seed=options.seed,
            jobs=options.jobs,
            rate=options.rate,
            deadline="20s" if options.is_short else "5m",
        )
        stack.callback(caller.stop)
        field = Field(
            house=house,
            broker=broker,
            books=books,
            recoveries=recoveries,
            server=server,
            disk=disk,
            is_short=options.is_short,
            patience=4 if options.is_short else 15,
        )
        yield Stage(field, caller, sandbox, receiver)


def leave_logs(folder: Path, logs: Path) -> None:
    logs.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, logs)


@contextmanager
def small_disk(folder: Path) -> Generator[Path | None]:
    """A small file system of its own; None if it cannot be mounted (only root may)."""
    folder.mkdir()
    if os.geteuid() != 0:
        yield None
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "genq-faults", str(folder)]
    if subprocess.run(mount, check=False).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def line_to(url: str) -> AbstractContextManager[Proxy]:
    """A proxy in front of the server of this URL."""
    parts = urlsplit(url)
    return proxied((parts.hostname or "127.0.0.1", parts.port or 80))


def through(url: str, line: Proxy) -> str:
    """The same URL by way of the proxy."""
    port = urlsplit(url).port
    return url.replace(f":{port}", f":{line.port}")
