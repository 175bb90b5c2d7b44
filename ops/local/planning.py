"""Plans a stack from what depends on this machine: settings, folders, broker, free ports."""

import os
import sys
import sysconfig
from pathlib import Path
from zlib import crc32

from generation.settings import Settings
from generation.stations.config_file import StationsFileError, load_stations
from ops.cli.database import sqlite_file
from ops.cli.exit_codes import CliError
from ops.local.data_folder import DataFolder
from ops.local.stack_plan import StackPlan
from ops.stack.broker import (
    GIVEN_URL,
    BrokerUnavailable,
    GivenBroker,
    LocalBroker,
    choose_broker,
    local_broker,
)
from ops.stack.ports import free_port

#: Default ports lie below the system's ephemeral range.
FIRST_DEFAULT_PORT = 20_000
DEFAULT_PORTS = 10_000


def has_own_stations(settings: Settings) -> bool:
    """Whether stations are configured. Raises `CliError` if they are unusable."""
    try:
        return len(load_stations(settings)) > 0
    except StationsFileError as error:
        raise CliError(str(error)) from None


def configures_stations(settings: Settings) -> bool:
    """Whether the settings mention stations, usable or not."""
    return settings.station_url is not None or settings.stations_file.is_file()


def up_data_folder(settings: Settings) -> DataFolder:
    return DataFolder(settings.data_dir)


def demo_data_folder(settings: Settings) -> DataFolder:
    """Return the demonstration's folder, apart from jobs that cost money.

    The demonstration's worker would send waiting jobs to the sandbox. If stations are configured,
    it uses its own folder, database and broker.
    """
    own = configures_stations(settings)
    return DataFolder(settings.data_dir / "demo" if own else settings.data_dir)


def plan_up(data_folder: DataFolder, settings: Settings) -> StackPlan:
    """Plan the stack of `genq up`. The data folder must be locked. Raises `CliError`."""
    return StackPlan(
        data_folder=data_folder,
        broker=_broker(data_folder, settings),
        settings=_operator_settings(data_folder, settings),
        api_port=free_port(settings.api_port),
        flower_port=free_port(settings.flower_port),
        sandbox_port=None
        if has_own_stations(settings)
        else free_port(default_port(data_folder, "sandbox")),
        isolated=False,
        genq=genq_command(),
    )


def plan_demo(data_folder: DataFolder, settings: Settings) -> StackPlan:
    """Plan the stack of `genq demo`. The data folder must be locked. Raises `CliError`."""
    private = configures_stations(settings)
    database_url = "" if private else absolute_database_url(settings.database_url)
    return StackPlan(
        data_folder=data_folder,
        broker=_local_broker(data_folder) if private else _broker(data_folder, settings),
        settings=Settings.model_construct(data_dir=data_folder.folder, database_url=database_url),
        api_port=free_port(settings.api_port),
        flower_port=free_port(settings.flower_port),
        sandbox_port=free_port(default_port(data_folder, "sandbox")),
        isolated=True,
        genq=genq_command(),
    )


def _operator_settings(data_folder: DataFolder, settings: Settings) -> Settings:
    return Settings.model_construct(
        data_dir=data_folder.folder,
        database_url=absolute_database_url(settings.database_url),
        api_key=settings.api_key,
        webhook_secret=settings.webhook_secret,
    )


def absolute_database_url(database_url: str) -> str:
    """Return the URL with an absolute file path. Raises `CliError` for a URL without file."""
    if not database_url:
        return ""
    file = sqlite_file(Settings.model_construct(database_url=database_url))
    return f"sqlite+aiosqlite:///{file.resolve()}" if file else database_url


def default_port(data_folder: DataFolder, program: str) -> int:
    """Return the usual port of a program of this data folder.

    It is stable across starts and differs between folders, so that two stacks starting at once
    rarely compete for a port.
    """
    return FIRST_DEFAULT_PORT + crc32(f"{data_folder.folder}/{program}".encode()) % DEFAULT_PORTS


def genq_command() -> tuple[str, ...]:
    """Return the command of the installed `genq`. Raises `CliError` if there is none."""
    script = Path(sysconfig.get_path("scripts")) / "genq"
    if not script.is_file():
        raise CliError(f"genq is not installed for {sys.executable}: run pip install there first")
    return sys.executable, str(script)


def _broker(data_folder: DataFolder, settings: Settings) -> GivenBroker | LocalBroker:
    given = {GIVEN_URL: settings.redis_url} if "redis_url" in settings.model_fields_set else {}
    try:
        broker = choose_broker(
            data_folder.broker,
            {"PATH": os.environ.get("PATH", ""), **given},
            preferred_port=default_port(data_folder, "broker"),
        )
    except BrokerUnavailable as error:
        raise CliError(str(error)) from None
    if isinstance(broker, GivenBroker) and not broker.answers():
        raise CliError(
            f"the broker of {GIVEN_URL} does not answer: start it, or unset {GIVEN_URL} to let"
            " genq run its own"
        )
    return broker


def _local_broker(data_folder: DataFolder) -> LocalBroker:
    try:
        return local_broker(
            data_folder.broker, os.environ, preferred_port=default_port(data_folder, "broker")
        )
    except BrokerUnavailable as error:
        raise CliError(str(error)) from None
