"""What a plan depends on this machine for: its settings, folders, broker and free ports."""

import os
import sys
import sysconfig
from pathlib import Path
from zlib import crc32

from generation.settings import Settings
from generation.stations.config_file import StationsFileError, load_stations
from ops.cli.database import sqlite_file
from ops.cli.ending import Stop
from ops.local.home import Home
from ops.local.plan import Plan
from ops.stack.broker import (
    GIVEN_URL,
    BrokerUnavailable,
    GivenBroker,
    LocalBroker,
    choose_broker,
    local_broker,
)
from ops.stack.ports import free_port

#: Ports that nobody needs to remember: below those the system hands out by itself.
FIRST_QUIET_PORT = 20_000
QUIET_PORTS = 10_000


def has_own_stations(settings: Settings) -> bool:
    """Whether the operator has stations to buy from. Raises `Stop` where they are unusable."""
    try:
        return len(load_stations(settings)) > 0
    except StationsFileError as error:
        raise Stop(str(error)) from None


def mentions_stations(settings: Settings) -> bool:
    """Whether the operator has said anything about stations, usable or not."""
    return settings.station_url is not None or settings.stations_file.is_file()


def home_for_up(settings: Settings) -> Home:
    return Home(settings.data_dir)


def home_for_demo(settings: Settings) -> Home:
    """
    A demonstration keeps away from jobs that cost money: its worker would send those that wait to
    the sandbox. Where there are stations it has a folder, a database and a broker of its own.
    """
    own = mentions_stations(settings)
    return Home(settings.data_dir / "demo" if own else settings.data_dir)


def plan_up(home: Home, settings: Settings) -> Plan:
    """The stack for `genq up`. The home is locked. Raises `Stop`."""
    return Plan(
        home=home,
        broker=_broker(home, settings),
        settings=_own_settings(home, settings),
        api_port=free_port(settings.api_port),
        flower_port=free_port(settings.flower_port),
        sandbox_port=None if has_own_stations(settings) else free_port(quiet_port(home, "sandbox")),
        secluded=False,
        genq=genq_command(),
    )


def plan_demo(home: Home, settings: Settings) -> Plan:
    """The stack for `genq demo`. The home is locked. Raises `Stop`."""
    private = mentions_stations(settings)
    database_url = "" if private else anchored(settings.database_url)
    return Plan(
        home=home,
        broker=_local_broker(home) if private else _broker(home, settings),
        settings=Settings.model_construct(data_dir=home.folder, database_url=database_url),
        api_port=free_port(settings.api_port),
        flower_port=free_port(settings.flower_port),
        sandbox_port=free_port(quiet_port(home, "sandbox")),
        secluded=True,
        genq=genq_command(),
    )


def _own_settings(home: Home, settings: Settings) -> Settings:
    return Settings.model_construct(
        data_dir=home.folder,
        database_url=anchored(settings.database_url),
        api_key=settings.api_key,
        webhook_secret=settings.webhook_secret,
    )


def anchored(database_url: str) -> str:
    """
    The same database, named so that it is found from every folder. Raises `Stop` for a URL that
    names none.
    """
    if not database_url:
        return ""
    file = sqlite_file(Settings.model_construct(database_url=database_url))
    return f"sqlite+aiosqlite:///{file.resolve()}" if file else database_url


def quiet_port(home: Home, program: str) -> int:
    """
    The port a program of this home usually has: the same at each start, and hardly ever that of
    another home, so that two stacks which start at once do not reach for the same one.
    """
    return FIRST_QUIET_PORT + crc32(f"{home.folder}/{program}".encode()) % QUIET_PORTS


def genq_command() -> tuple[str, ...]:
    """`genq` as it is installed beside this interpreter. Raises `Stop` where it is not."""
    script = Path(sysconfig.get_path("scripts")) / "genq"
    if not script.is_file():
        raise Stop(f"genq is not installed for {sys.executable}: run pip install there first")
    return sys.executable, str(script)


def _broker(home: Home, settings: Settings) -> GivenBroker | LocalBroker:
    given = {GIVEN_URL: settings.redis_url} if "redis_url" in settings.model_fields_set else {}
    try:
        broker = choose_broker(
            home.broker,
            {"PATH": os.environ.get("PATH", ""), **given},
            preferred_port=quiet_port(home, "broker"),
        )
    except BrokerUnavailable as error:
        raise Stop(str(error)) from None
    if isinstance(broker, GivenBroker) and not broker.answers():
        raise Stop(
            f"the broker of {GIVEN_URL} does not answer: start it, or unset {GIVEN_URL} and genq"
            " runs one of its own"
        )
    return broker


def _local_broker(home: Home) -> LocalBroker:
    try:
        return local_broker(home.broker, os.environ, preferred_port=quiet_port(home, "broker"))
    except BrokerUnavailable as error:
        raise Stop(str(error)) from None
