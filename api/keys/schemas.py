"""
What is asked of `/v1/keys`: which keys, and what they may do.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.http.patch_schema import without_defaults
from api.http.schemas import Document
from api.http.timestamps import Time
from generation import providers
from generation.access.permissions import (
    DEFAULT_SCOPES,
    LONGEST_TENANT,
    TENANT,
    Access,
    Scope,
    read_rate,
)
from generation.contract.request import Form

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


RateText = Annotated[
    str,
    AfterValidator(_rate),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,5}/[smh]$"}),
]
ProviderName = Annotated[
    str, AfterValidator(_provider), WithJsonSchema({"type": "string", "enum": PROVIDERS})
]
Expiry = Annotated[Time, AfterValidator(_future)]
Count = Annotated[int, Field(strict=True, ge=1, le=MOST)]


class AccessOrder(BaseModel):
    """The body of `PATCH /v1/keys/{id}`. What is absent stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_defaults)

    scopes: list[Scope] = Field(
        sorted(DEFAULT_SCOPES),
        min_length=1,
        max_length=len(Scope),
        description="What it may do.",
    )
    providers: list[ProviderName] | None = Field(
        None,
        min_length=1,
        max_length=len(PROVIDERS),
        description="Whom it may order from; null: everybody.",
    )
    rate: RateText | None = Field(
        None, description="Jobs per second, minute or hour: `10/s`, `60/m`, `500/h`. null: any."
    )
    max_in_flight: Count | None = Field(
        None, description="Jobs that have not ended, at once. null: any."
    )
    daily_jobs: Count | None = Field(
        None, description="Jobs a day, from midnight to midnight UTC. null: any."
    )
    expires_at: Expiry | None = Field(
        None, description="From then on it is not let in. null: never."
    )

    def access(self, before: Access) -> Access:
        """What the key may do from now on."""
        limits = replace(before.limits, **self._given(LIMITS))
        return replace(before, limits=limits, **self._given(OTHERS))

    def _given(self, fields: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
        """The fields that were named, as `Access` has them."""
        return {
            name: None if getattr(self, name) is None else read(getattr(self, name))
            for name, read in fields.items()
            if name in self.model_fields_set
        }


LIMITS: Mapping[str, Callable[[Any], Any]] = {
    "rate": read_rate,
    "max_in_flight": int,
    "daily_jobs": int,
}
OTHERS: Mapping[str, Callable[[Any], Any]] = {
    "scopes": frozenset,
    "providers": frozenset,
    "expires_at": lambda moment: moment,
}


class KeyOrder(AccessOrder):
    """The body of `POST /v1/keys`."""

    model_config = ConfigDict(json_schema_extra=None)

    tenant: Annotated[
        str,
        StringConstraints(max_length=LONGEST_TENANT),
        Form(TENANT, "printable characters, with no space at either end"),
    ] = Field(description="Whose key it is. The keys of one tenant see the same jobs.")


class Key(Document):
    """A caller's key, without the key itself."""

    id: str
    object: Literal["key"]
    tenant: str
    prefix: str = Field(description="What the key begins with, to tell keys apart.")
    scopes: list[Scope]
    providers: list[str] | None = Field(description="Whom it may order from; null: everybody.")
    rate: str | None = Field(description="Jobs per second, minute or hour: `60/m`. null: any.")
    max_in_flight: int | None = Field(description="Jobs that have not ended, at once. null: any.")
    daily_jobs: int | None = Field(description="Jobs a day (UTC). null: any.")
    expires_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None = Field(description="To about half a minute.")
    revoked_at: datetime | None


class NewKey(Key):
    """A key just made. What is secret in it is shown this once."""

    key: str = Field(description="What its callers send.")
    webhook_secret: str = Field(description="What its webhooks are signed with.")


class KeyList(Document):
    """Keys, oldest first."""

    data: list[Key]
