"""
What is asked of `/v1/webhook-endpoints`: where to tell, of what, and how.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.http.patch_schema import without_defaults
from api.http.timestamps import Time
from api.jobs.order import MetadataName, MetadataValue
from generation.events import FEED_EVENTS
from generation.webhooks.endpoint import (
    DEFAULT_EVENTS,
    ENDPOINT_TEST,
    MAX_ENDPOINT_CONCURRENCY,
    RegisteredEndpoint,
)
from generation.webhooks.headers import MAX_HEADERS, UnusableHeader, check_header
from generation.webhooks.health import HEALTHY

#: A test comes unasked.
EVENTS = tuple(each for each in FEED_EVENTS if each != ENDPOINT_TEST)


def _known_event(event: str) -> str:
    if event not in EVENTS:
        *names, last = EVENTS
        expected = f"{', '.join(names)} or {last}"
        raise PydanticCustomError("enum", "must be one of {expected}", {"expected": expected})
    return event


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("must not name a header twice")
    for name, value in headers.items():
        try:
            check_header(name, value)
        except UnusableHeader as error:
            raise ValueError(str(error)) from None
    return headers


EventName = Annotated[
    str, AfterValidator(_known_event), Field(json_schema_extra={"enum": list(EVENTS)})
]
Headers = Annotated[dict[str, str], AfterValidator(_sendable), Field(max_length=MAX_HEADERS)]


class EndpointChange(BaseModel):
    """The body of `PATCH /v1/webhook-endpoints/{id}`. What is absent stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_defaults)

    url: Annotated[str, StringConstraints(max_length=2000)] = Field(
        "", description="An https URL on the public internet."
    )
    description: Annotated[str, StringConstraints(max_length=500)] = Field(
        "", description="For people."
    )
    events: list[EventName] = Field(
        [],
        max_length=len(EVENTS),
        description=f"Empty or absent: {', '.join(f'`{each}`' for each in DEFAULT_EVENTS)}.",
    )
    metadata: dict[MetadataName, MetadataValue] = Field(
        {}, max_length=50, description="Only of jobs whose `metadata` has all of these."
    )
    headers: Headers = Field(
        {},
        description="Sent with every request. Values of headers that look like secrets are shown"
        " as `********` from then on.",
    )
    concurrency: Annotated[int, Field(strict=True, ge=1, le=MAX_ENDPOINT_CONCURRENCY)] = Field(
        MAX_ENDPOINT_CONCURRENCY, description="Requests at a time, from each worker process."
    )
    rate: Annotated[float, Field(ge=0.01, le=1000)] | None = Field(
        None, description="Requests a second, from each worker process. null: any."
    )
    ordered: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="One event after another, as they happened; one that fails holds up the rest.",
    )
    enabled: Annotated[bool, Field(strict=True)] = Field(
        True, description="Whether anything is sent. Enabling it forgets its failures."
    )

    def changed(self, before: RegisteredEndpoint, now: datetime) -> RegisteredEndpoint:
        """The endpoint as it shall be."""
        given = {
            name: read(getattr(self, name))
            for name, read in FIELDS.items()
            if name in self.model_fields_set
        }
        after = replace(before, **given, updated_at=now)
        if after.enabled and not before.enabled:
            return replace(after, health=HEALTHY, disabled_reason="", disabled_at=None)
        if before.enabled and not after.enabled:
            return replace(after, disabled_reason="disabled by its owner", disabled_at=now)
        return after


#: How each field that was named goes into an `RegisteredEndpoint`.
FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "url": str,
    "description": str,
    "events": lambda events: tuple(dict.fromkeys(events)),
    "metadata": dict,
    "headers": dict,
    "concurrency": int,
    "rate": lambda rate: rate,
    "ordered": bool,
    "enabled": bool,
}


class EndpointOrder(EndpointChange):
    """The body of `POST /v1/webhook-endpoints`."""

    model_config = ConfigDict(json_schema_extra=None)

    url: Annotated[str, StringConstraints(max_length=2000)] = Field(
        description="An https URL on the public internet."
    )


class Period(BaseModel):
    """The body of `…/recover` and `…/replay`: of which time."""

    model_config = ConfigDict(extra="forbid")

    since: Time = Field(description="From then on.")
    until: Time | None = Field(None, description="Before then; absent: until now.")

    @model_validator(mode="after")
    def begins_before_it_ends(self) -> "Period":
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since")
        return self
