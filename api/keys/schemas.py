"""Request and response models of `/v1/keys`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.http.patch_schema import without_defaults
from api.http.query_params import Query
from api.http.schemas import Document, RequestModel
from api.http.timestamps import Time
from generation import providers
from generation.access.key_document import key_document
from generation.access.permissions import (
    DEFAULT_SCOPES,
    LONGEST_TENANT,
    TENANT,
    Access,
    Limits,
    Rate,
    Scope,
    read_rate,
)
from generation.contract.request import Form
from generation.store import ApiKey

MOST = 1_000_000
PROVIDERS = sorted({name.partition(".")[0] for name in providers.names()})


def _rate(value: str) -> str:
    return str(read_rate(value))


def _provider(value: str) -> str:
    if value not in PROVIDERS:
        raise ValueError(f"must be one of {', '.join(PROVIDERS)}")
    return value


def _future(value: datetime) -> datetime:
    if value <= datetime.now(UTC):
        raise ValueError("must lie in the future")
    return value


def _tenant(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("must be a tenant's name")
    return value


RateText = Annotated[
    str,
    AfterValidator(_rate),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,5}/[smh]$"}),
]
ProviderName = Annotated[
    str, AfterValidator(_provider), WithJsonSchema({"type": "string", "enum": PROVIDERS})
]
Tenant = Annotated[str, AfterValidator(_tenant), WithJsonSchema({"type": "string", "minLength": 1})]
Expiry = Annotated[Time, AfterValidator(_future)]
Count = Annotated[int, Field(strict=True, ge=1, le=MOST)]

_CREATED_AT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
#: A key for the OpenAPI document.
KEY = key_document(
    ApiKey(
        id="key_01KG9Q2Z6M8T4V7X1Y3A5C7E9G",
        tenant="my-team",
        prefix="genq_2fA9xQ",
        webhook_secret="",
        access=Access(
            scopes=frozenset({Scope.SUBMIT, Scope.READ}),
            providers=frozenset({"kling"}),
            limits=Limits(rate=Rate(60, timedelta(minutes=1)), max_in_flight=20, daily_jobs=1000),
            expires_at=_CREATED_AT + timedelta(days=3650),
        ),
        created_at=_CREATED_AT,
    )
)


class KeyQuery(Query):
    """The query of `GET /v1/keys`."""

    tenant: Tenant | None = Field(None, description="Only keys of this tenant.")


class KeyUpdate(RequestModel):
    """The body of `PATCH /v1/keys/{id}`. Absent fields do not change."""

    model_config = ConfigDict(json_schema_extra=without_defaults)

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "Set another rate": {"rate": "10/m"},
        "Remove limits": {"rate": None, "max_in_flight": None},
    }

    scopes: list[Scope] = Field(
        sorted(DEFAULT_SCOPES),
        min_length=1,
        max_length=len(Scope),
        description="Its permissions.",
    )
    providers: list[ProviderName] | None = Field(
        None,
        min_length=1,
        max_length=len(PROVIDERS),
        description="Providers it may submit jobs to. null: all.",
    )
    rate: RateText | None = Field(
        None,
        description="Jobs per second, minute or hour: `10/s`, `60/m`, `500/h`. null: no limit.",
    )
    max_in_flight: Count | None = Field(
        None, description="Unfinished jobs at a time. null: no limit."
    )
    daily_jobs: Count | None = Field(
        None, description="Jobs per day, from midnight to midnight UTC. null: no limit."
    )
    expires_at: Expiry | None = Field(
        None, description="Time from which it is refused. null: never."
    )

    def access(self, before: Access) -> Access:
        """Return the permissions with the fields that are present."""
        given = self.model_dump(exclude_unset=True, exclude={"tenant"})
        for name, convert in CONVERSIONS.items():
            if given.get(name) is not None:
                given[name] = convert(given[name])
        limits = {name: given.pop(name) for name in LIMITS if name in given}
        return replace(before, limits=replace(before.limits, **limits), **given)


LIMITS = ("rate", "max_in_flight", "daily_jobs")
CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "rate": read_rate,
    "scopes": frozenset,
    "providers": frozenset,
}


class KeyCreate(KeyUpdate):
    """The body of `POST /v1/keys`."""

    model_config = ConfigDict(json_schema_extra=None)

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "A key without limits": {"tenant": "my-team"},
        "A key with limits": {name: KEY[name] for name in ("tenant", *KeyUpdate.model_fields)},
    }

    tenant: Annotated[
        str,
        StringConstraints(max_length=LONGEST_TENANT),
        Form(TENANT, "printable characters, with no space at either end"),
    ] = Field(description="The tenant. Keys of one tenant see the same jobs.")


class Key(Document):
    """An API key, without its secret."""

    EXAMPLE: ClassVar[object] = KEY

    id: str
    object: Literal["key"]
    tenant: str
    prefix: str = Field(description="The first characters of the key, for recognition.")
    scopes: list[Scope]
    providers: list[str] | None = Field(description="Providers it may submit jobs to. null: all.")
    rate: str | None = Field(description="Jobs per second, minute or hour: `60/m`. null: no limit.")
    max_in_flight: int | None = Field(description="Unfinished jobs at a time. null: no limit.")
    daily_jobs: int | None = Field(description="Jobs per day (UTC). null: no limit.")
    expires_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None = Field(description="Exact to about half a minute.")
    revoked_at: datetime | None


class NewKey(Key):
    """A new key. Its secrets are returned once, in this response."""

    EXAMPLE: ClassVar[object] = KEY | {"key": "genq_2fA9xQ…", "webhook_secret": "whsec_…"}

    key: str = Field(description="The API key itself.")
    webhook_secret: str = Field(description="The secret that signs its webhooks.")


class KeyList(Document):
    """All keys, oldest first."""

    EXAMPLE: ClassVar[object] = {"data": [KEY]}

    data: list[Key]
