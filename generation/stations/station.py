"""Stations: the relays and vendors that this deployment buys from, and its keys there."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from generation import providers


class Auth(StrEnum):
    """How a station expects the key."""

    #: `Authorization: Bearer <key>`: relays, and most vendors.
    BEARER = "bearer"
    #: `mj-api-secret: <key>`: a midjourney-proxy without a relay.
    MJ_API_SECRET = "mj-api-secret"
    #: `x-key: <key>`: Black Forest Labs.
    X_KEY = "x-key"
    #: `Authorization: Key <key>`: fal.
    KEY = "key"
    #: A short-lived token signed with the secret key, sent as Bearer: Kling's access keys.
    KLING_JWT = "kling-jwt"
    #: The id of an access key and its secret, each in a header of its own: Chat Open.
    ACCESS_KEYS = "access-keys"


#: Forms of authentication whose keys have two parts.
TWO_PART = frozenset({Auth.KLING_JWT, Auth.ACCESS_KEYS})


class OnDoubt(StrEnum):
    """What happens to a submit whose outcome cannot be determined."""

    #: The job stays in doubt until a person resolves it, or until its deadline.
    HOLD = "hold"
    #: The job fails; it may have been billed.
    FAIL = "fail"
    #: The job is submitted again; it may be billed twice.
    RESUBMIT = "resubmit"


class ExtraFields(StrEnum):
    """How fields of a request that genq does not know are handled."""

    #: The request is refused, with the known fields.
    REFUSE = "refuse"
    #: They are copied into the submit's body.
    PASS = "pass"


class FrozenModel(BaseModel):
    """A model that is strict about names and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def unbroken(value: str) -> str:
    if "/" in value or any(character.isspace() for character in value):
        raise ValueError("must have no spaces and no slashes, as in my-relay")
    return value


#: The name of a station or key. Wait queues are named after them.
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(unbroken)]


class Key(FrozenModel):
    """One account's key at a station. Its name is shown, its value never."""

    name: Name
    value: SecretStr
    #: Only for `kling-jwt` and `access-keys`.
    secret: SecretStr | None = None
    #: Unfinished tasks this account may have; None if unlimited.
    max_in_flight: Annotated[int, Field(ge=1)] | None = None
    submits_per_minute: Annotated[int, Field(ge=1)] | None = None

    @property
    def is_limited(self) -> bool:
        return self.max_in_flight is not None or self.submits_per_minute is not None


#: The path prefix of a provider, unless the station sets another.
USUAL_PREFIX: Mapping[str, str] = {
    "kling.relay": "/kling",
    "kling.newapi": "/kling",
    "luma.dream_machine": "/dream-machine/v1",
    "luma.agents": "/v1",
    "luma.relay": "/luma",
    "suno.newapi": "/suno",
    "suno.onepath": "/suno",
    "suno.raw": "/suno",
    "suno.feed": "/suno",
    "suno.taskid": "/api/v1",
    "flux.relay": "/flux",
    "openai.chatopen": "/AIGCChatOpenServ/saas",
}


class Dialect(FrozenModel):
    """How a station offers one provider."""

    dialect: str
    #: Put before every path of this provider.
    prefix: str | None = None
    #: Put before the path of a submit instead, such as Midjourney's `/mj-fast`.
    submit_prefix: str | None = None
    #: How fields of a request that genq does not know are handled.
    extra_fields: ExtraFields = ExtraFields.REFUSE
    #: Merged into the body of every submit, last.
    extra_body: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator("dialect")
    @classmethod
    def known(cls, value: str) -> str:
        if value not in providers.known_dialects():
            known = ", ".join(sorted(providers.known_dialects()))
            raise ValueError(f"no dialect {value!r}; there are {known}")
        return value

    @field_validator("prefix", "submit_prefix")
    @classmethod
    def slashes(cls, value: str | None) -> str | None:
        if value and (not value.startswith("/") or value.endswith("/")):
            raise ValueError("must begin with a slash and not end with one, as in /mj-fast")
        return value

    def path(self, path: str, *, submit: bool) -> str:
        """Return the path as this station expects it."""
        prefix = USUAL_PREFIX.get(self.dialect, "") if self.prefix is None else self.prefix
        if submit and self.submit_prefix is not None:
            prefix = self.submit_prefix
        return prefix + path


class Station(FrozenModel):
    """A host that sells generation, with its keys and dialects."""

    name: Name
    url: str
    auth: Auth = Auth.BEARER
    #: The dialect of each provider, by provider name.
    speaks: Mapping[str, Dialect]
    keys: tuple[Key, ...]
    #: Stations with a lower number are used first.
    order: int = 0
    #: Among stations with the same number, one with twice the weight gets twice as many jobs.
    weight: Annotated[float, Field(gt=0)] = 1.0
    on_doubt: OnDoubt = OnDoubt.HOLD
    #: How many times faster than usual its tasks run; above 1 for a sandbox station.
    speed: Annotated[float, Field(gt=0)] = 1.0

    @field_validator("url")
    @classmethod
    def base_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// (or http://)")
        if value.rstrip("/").endswith("/v1"):
            raise ValueError("is the host's root: leave the /v1 out")
        return value.rstrip("/")

    @field_validator("keys")
    @classmethod
    def some_keys(cls, value: tuple[Key, ...]) -> tuple[Key, ...]:
        if not value:
            raise ValueError("needs at least one key: add a [[stations.keys]] table")
        if len({key.name for key in value}) < len(value):
            raise ValueError("two keys have the same name; name them apart")
        return value

    @model_validator(mode="after")
    def whole_keys(self) -> Self:
        if self.auth in TWO_PART and any(key.secret is None for key in self.keys):
            raise ValueError(f"auth {self.auth} needs both env and secret_env for each key")
        return self

    def key(self, name: str) -> Key | None:
        """Return the key of that name, or None if it is not in the settings any more."""
        return next((key for key in self.keys if key.name == name), None)


class Stations:
    """The stations of this deployment, in the order in which they are tried."""

    def __init__(self, stations: tuple[Station, ...]) -> None:
        self._stations = tuple(sorted(stations, key=lambda station: station.order))

    def __iter__(self):
        return iter(self._stations)

    def __len__(self) -> int:
        return len(self._stations)

    def get(self, name: str) -> Station | None:
        return next((station for station in self._stations if station.name == name), None)

    def offering(self, provider: str, operation: str) -> tuple[Station, ...]:
        """Return the stations that offer this operation."""
        return tuple(
            station
            for station in self._stations
            if (spoken := station.speaks.get(provider))
            and (known := providers.find(provider, operation, spoken.dialect))
            and not known.retired
        )

    def offered(self) -> tuple[str, ...]:
        """Return every `provider.operation` that some station offers."""
        return tuple(
            name for name in providers.names() if self.offering(*name.split(".", maxsplit=1))
        )
