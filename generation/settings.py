"""All settings of genq, in one frozen class.

They are environment variables with the prefix `GENQ_`, or the same names in a `.env` file.
Durations are written as `30`, `0.5s`, `5m`, `2h` or `1d`.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from dotenv import dotenv_values
from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from generation.duration_text import parse_duration
from generation.webhooks.asymmetric import SigningKey
from generation.webhooks.guard import GuardPolicy
from generation.webhooks.schedule import SCHEDULE

Network = IPv4Network | IPv6Network


#: Read from the folder in which a program runs. Variables of the process win.
ENV_FILE = ".env"


def environment() -> Mapping[str, str]:
    """Return every variable by its full name: those of the process, else those of the `.env` file.

    Empty values count as not set.
    """
    written = dotenv_values(ENV_FILE, interpolate=False)
    return {name: value for name, value in (written | os.environ).items() if value}


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def duration(value: object) -> object:
    """Read `30`, `0.5`, `30s`, `5m`, `2h` and `1d`, with spaces. ISO 8601 is left to pydantic."""
    if not isinstance(value, str):
        return value
    found = parse_duration("".join(value.split()))
    return value if found is None else found


Duration = Annotated[timedelta, BeforeValidator(duration)]


class Settings(BaseSettings):
    """The settings of one deployment, equal in all its processes."""

    model_config = SettingsConfigDict(
        env_prefix="GENQ_",
        env_file=ENV_FILE,
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
    )

    # Data, broker, stations
    data_dir: Path = Path(".genq")
    """Folder of the local stack: SQLite database, keys and logs."""
    database_url: str = ""
    """`postgresql+asyncpg://user:password@host/name` or `sqlite+aiosqlite:///path`.

    By default an SQLite file in the data folder.
    """
    redis_url: str = "redis://127.0.0.1:6379/0"
    """The broker. Its content may be wiped at any time."""
    stations_file: Path = Path("stations.toml")
    """The file that describes the stations."""
    station_url: str | None = None
    """The only station, if there is no stations file: a relay of the new-api kind, used with a
    Bearer key."""
    station_key: SecretStr | None = None
    """The key of that station."""
    station_max_in_flight: Annotated[int, Field(ge=1)] | None = None
    """Unfinished tasks that this key may have at any time. Empty: unlimited."""
    station_submits_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Submits per minute with this key. Empty: unlimited."""
    public_url: str | None = None
    """The URL at which callers and upstreams reach this deployment.

    Upstream callbacks are requested only if it is set.
    """

    # The API
    api_host: str = "127.0.0.1"
    """The address on which the API listens."""
    api_port: int = 8000
    """The port on which the API listens."""
    api_key: SecretStr | None = None
    """A first API key for the tenant `default`, stored (hashed) by `genq migrate`."""
    webhook_secret: SecretStr | None = None
    """The webhook secret of that first key."""
    key_cache: Duration = seconds(0.1)
    """How long a process uses cached API keys before it asks the database whether any has
    changed."""
    retry_guard: bool = True
    """Whether an equal request that a client retries without an idempotency key within two
    minutes is the earlier job."""
    max_body_bytes: int = 32 * 1024 * 1024
    """The largest request body."""

    # Workers
    worker_concurrency: Annotated[int, Field(ge=1, le=10_000)] = 256
    """Concurrent submits of one worker process."""
    tick: Duration = seconds(0.5)
    """How often a worker looks for due work."""
    nudge_again: Duration = seconds(10)
    """A queued job whose message was lost is nudged again after this time."""
    submit_lease: Duration = seconds(20)
    """A submit whose worker has not renewed its lease for this time is in doubt."""
    restored_at: AwareDatetime | None = None
    """When the database was restored from a backup, or a replica took over.

    Older jobs that look unsent are searched for before they are submitted.
    """
    submit_timeout: Duration = seconds(75)
    """How long a submit waits for the answer. Relays wait up to a minute for their own upstream."""
    look_timeout: Duration = seconds(15)
    """How long a look waits for the answer."""
    connect_timeout: Duration = seconds(5)
    """How long a connection to a station may take."""
    looks_in_flight: Annotated[int, Field(ge=1)] = 2000
    """Concurrent looks of one worker process."""
    looks_per_station: Annotated[int, Field(ge=1)] = 800
    """Concurrent looks of one worker process at one station."""
    looks_per_key: Annotated[int, Field(ge=1)] = 400
    """Concurrent looks of one worker process with one key."""
    max_reply_bytes: int = 8 * 1024 * 1024
    """The largest answer of a station that is read."""
    retry_base: Duration = seconds(5)
    """The first wait after a refusal that may pass; doubled each time."""
    retry_limit: Duration = seconds(300)
    """The longest of these waits."""

    # Webhooks
    webhook_allow_http: bool = False
    """Whether webhooks may use http without TLS."""
    webhook_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Networks that webhooks may reach although they are not public, such as
    `127.0.0.0/8,10.1.0.0/16`."""
    webhook_allowed_ports: Annotated[tuple[int, ...] | None, NoDecode] = (80, 443)
    """Ports that webhooks may use, such as `80,443,8443`, or `any`."""
    webhook_schedule: Annotated[tuple[Duration, ...], NoDecode] = SCHEDULE
    """The wait before each delivery attempt."""
    webhook_timeout: Duration = seconds(15)
    """How long an attempt waits for the response."""
    webhook_connect_timeout: Duration = seconds(5)
    """How long a connection to a receiver may take."""
    webhook_proxy: SecretStr | None = None
    """An egress proxy (`http://…`) for webhooks.

    It resolves the names, so it must refuse private addresses.
    """
    webhooks_in_flight: Annotated[int, Field(ge=10)] = 1000
    """Deliveries that a worker process has claimed at once, sent and waiting."""
    webhook_signing_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Ed25519 keys (`whsk_…`) that sign in addition to the secrets. The first one is current."""

    # Retention
    keep_jobs: Duration = seconds(90 * 86400)
    """How long an ended job is kept, with its events and deliveries. 0 keeps it for ever."""
    keep_events: Duration = seconds(30 * 86400)
    """How long events of ended jobs are kept. 0 keeps them for ever."""
    keep_deliveries: Duration = seconds(30 * 86400)
    """How long ended deliveries are kept. 0 keeps them for ever."""

    # Flower and logs
    flower_basic_auth: SecretStr | None = None
    """`user:password` for Flower's page."""
    flower_host: str = "127.0.0.1"
    """The address on which Flower listens."""
    flower_port: int = 5555
    """The port on which Flower listens."""
    log_level: str = "INFO"
    """The lowest level that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`."""
    log_format: str = "text"
    """`text` for people, `json` for programs."""

    @field_validator(
        "webhook_allowed_networks",
        "webhook_allowed_ports",
        "webhook_schedule",
        "webhook_signing_keys",
        mode="before",
    )
    @classmethod
    def split_commas(cls, value: object) -> object:
        if value == "any":
            return None
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url", "station_url")
    @classmethod
    def no_trailing_slash(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("log_format")
    @classmethod
    def known_format(cls, value: str) -> str:
        if value not in {"text", "json"}:
            raise ValueError("must be text or json")
        return value

    @model_validator(mode="after")
    def station_is_whole(self) -> Self:
        if (self.station_url is None) != (self.station_key is None):
            raise ValueError("GENQ_STATION_URL and GENQ_STATION_KEY belong together: set both")
        limits = (self.station_max_in_flight, self.station_submits_per_minute)
        if self.station_url is None and limits != (None, None):
            raise ValueError(
                "GENQ_STATION_MAX_IN_FLIGHT and GENQ_STATION_SUBMITS_PER_MINUTE are for the station"
                " of GENQ_STATION_URL; in a stations file each key has its own"
            )
        return self

    @field_validator("webhook_signing_keys")
    @classmethod
    def usable_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in value:
            SigningKey(key.get_secret_value())
        return value

    @cached_property
    def signing_keys(self) -> tuple[SigningKey, ...]:
        """The key pairs that sign webhooks."""
        return tuple(SigningKey(key.get_secret_value()) for key in self.webhook_signing_keys)

    @cached_property
    def webhook_policy(self) -> GuardPolicy:
        """The addresses that webhooks may go to."""
        ports = self.webhook_allowed_ports
        return GuardPolicy(
            allow_http=self.webhook_allow_http,
            allowed_networks=self.webhook_allowed_networks,
            allowed_ports=None if ports is None else frozenset(ports),
        )

    @cached_property
    def store_url(self) -> str:
        """The database to use: `database_url`, or an SQLite file in `data_dir`."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'genq.db'}"
