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
        env_prefix="GENQ_", env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True
    )

    # Where things are
    data_dir: Path = Path(".genq")
    #: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://user:password@host/name`.
    database_url: str = ""
    redis_url: str = "redis://127.0.0.1:6379/0"
    stations_file: Path = Path("stations.toml")
    #: The one-station case: a relay of the new-api kind, spoken to with a Bearer key.
    station_url: str | None = None
    station_key: SecretStr | None = None
    #: What its account may have: tasks unfinished at once, and submits a minute. None: no limit.
    station_max_in_flight: Annotated[int, Field(ge=1)] | None = None
    station_submits_per_minute: Annotated[int, Field(ge=1)] | None = None
    #: Where the outside reaches this deployment; upstream callbacks are asked for only when set.
    public_url: str | None = None

    # The front door
    api_host: str = "127.0.0.1"
    api_port: int = 8000
    #: A first caller's key and webhook secret, stored (the key hashed) by `genq migrate`.
    api_key: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    #: How long a process believes that no key has changed before it asks the database again.
    key_cache: Duration = seconds(0.1)
    #: An order that a client repeats by itself, without an idempotency key, is the earlier job.
    retry_guard: bool = True
    max_body_bytes: int = 32 * 1024 * 1024

    # The back room
    worker_concurrency: Annotated[int, Field(ge=1, le=10_000)] = 256
    tick: Duration = seconds(0.5)
    #: A queued job is nudged again after this; a nudge that was lost costs no more.
    nudge_again: Duration = seconds(10)
    #: A submit whose worker has not been heard of for this long is in doubt.
    submit_lease: Duration = seconds(20)
    #: When the database was put back to an earlier state, by a backup or a replica: what was
    #: ordered before may have been sent since, and is searched for instead.
    restored_at: AwareDatetime | None = None
    #: Relays wait a minute for their own upstream before they answer.
    submit_timeout: Duration = seconds(75)
    look_timeout: Duration = seconds(15)
    connect_timeout: Duration = seconds(5)
    looks_in_flight: Annotated[int, Field(ge=1)] = 2000
    looks_per_station: Annotated[int, Field(ge=1)] = 800
    looks_per_key: Annotated[int, Field(ge=1)] = 400
    max_reply_bytes: int = 8 * 1024 * 1024
    #: After a refusal that may pass: this, doubled each time, up to the limit.
    retry_base: Duration = seconds(5)
    retry_limit: Duration = seconds(300)

    # Webhooks
    webhook_allow_http: bool = False
    #: Networks a webhook may reach although they are not public, as `127.0.0.0/8,10.1.0.0/16`.
    webhook_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    #: Ports a webhook may name, as `80,443,8443`, or `any`.
    webhook_allowed_ports: Annotated[tuple[int, ...] | None, NoDecode] = (80, 443)
    webhook_schedule: Annotated[tuple[Duration, ...], NoDecode] = SCHEDULE
    webhook_timeout: Duration = seconds(15)
    webhook_connect_timeout: Duration = seconds(5)
    #: An egress proxy (`http://…`) that webhooks go through. It resolves the names, and so it must
    #: refuse what leads inside.
    webhook_proxy: SecretStr | None = None
    #: Deliveries that a worker process has claimed at once, sent and waiting.
    webhooks_in_flight: Annotated[int, Field(ge=10)] = 1000
    #: Ed25519 keys (`whsk_…`) that sign beside the secrets; the first is the current one.
    webhook_signing_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()

    # What is kept, from its end on; 0 for ever
    #: A job with its events and deliveries. Long enough for a quarter's bills.
    keep_jobs: Duration = seconds(90 * 86400)
    #: Events, so that a reader who was away for a month still misses nothing.
    keep_events: Duration = seconds(30 * 86400)
    #: Deliveries that have ended; the longest takes three days and a bit.
    keep_deliveries: Duration = seconds(30 * 86400)

    # Watching
    #: `user:password` of the Flower page.
    flower_basic_auth: SecretStr | None = None
    flower_host: str = "127.0.0.1"
    flower_port: int = 5555
    log_level: str = "INFO"
    #: `text` for people, `json` for machines.
    log_format: str = "text"

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
