"""Request bodies and query strings of webhook endpoints and deliveries."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.http.cursors import decode_cursor
from api.http.patch_schema import without_defaults
from api.http.query_params import USUAL, Limit, Query, QueryTime, matching, one_of
from api.http.schemas import RequestModel
from api.http.timestamps import Time
from api.jobs.submission import MetadataName, MetadataValue
from api.lookup import JOB_ID
from generation.duration_text import parse_duration
from generation.events import FEED_EVENTS
from generation.store.webhooks.delivery_log import LogFilters
from generation.webhooks.delivery import DeliveryState
from generation.webhooks.endpoint import (
    DEFAULT_EVENTS,
    ENDPOINT_TEST,
    MAX_ENDPOINT_CONCURRENCY,
    RegisteredEndpoint,
)
from generation.webhooks.headers import MAX_HEADERS, UnusableHeader, check_header
from generation.webhooks.health import HEALTHY
from generation.webhooks.secrets import MAX_SECRET_OVERLAP

ENDPOINT_ID = re.compile(r"whe_[0-9A-HJKMNP-TV-Z]{26}")
DELIVERY_ID = re.compile(r"dlv_[0-9A-HJKMNP-TV-Z]{26}")
#: Events that an endpoint can subscribe to. Tests are sent regardless.
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


def _overlap(value: str) -> timedelta:
    overlap = parse_duration(value.strip())
    if overlap is None or overlap > MAX_SECRET_OVERLAP:
        raise ValueError("must be a time of at most 7d, such as 30m, 24h or 7d; 0 is none")
    return overlap


def _delivery_of_cursor(cursor: str) -> str:
    found = decode_cursor(cursor, DELIVERY_ID)
    if found is None:
        raise ValueError("must be the next_cursor of an earlier page, unchanged")
    return found[0]


Url = Annotated[str, StringConstraints(max_length=2000)]
EventName = Annotated[
    str, AfterValidator(_known_event), Field(json_schema_extra={"enum": list(EVENTS)})
]
Headers = Annotated[dict[str, str], AfterValidator(_sendable), Field(max_length=MAX_HEADERS)]
Overlap = Annotated[timedelta, BeforeValidator(_overlap), WithJsonSchema({"type": "string"})]
FeedEvent = Annotated[
    str, one_of(FEED_EVENTS), WithJsonSchema({"type": "string", "enum": [*FEED_EVENTS]})
]
EndpointId = Annotated[str, matching(ENDPOINT_ID, "the id of a webhook endpoint (whe_…)")]
JobId = Annotated[str, matching(JOB_ID, "the id of a job (job_…)")]


class WebhookEndpointUpdate(RequestModel):
    """The body of `PATCH /v1/webhook-endpoints/{id}`. Absent fields do not change."""

    model_config = ConfigDict(json_schema_extra=without_defaults)

    EXAMPLES: ClassVar[Mapping[str, Any]] = {"Enable it again": {"enabled": True}}

    url: Url = Field("", description="An https URL on the public internet.")
    description: Annotated[str, StringConstraints(max_length=500)] = Field(
        "", description="A note for people."
    )
    events: list[EventName] = Field(
        [],
        max_length=len(EVENTS),
        description=f"Empty or absent: {', '.join(f'`{each}`' for each in DEFAULT_EVENTS)}.",
    )
    metadata: dict[MetadataName, MetadataValue] = Field(
        {}, max_length=50, description="Only events of jobs whose `metadata` has all of these."
    )
    headers: Headers = Field(
        {},
        description="Sent with every request. Values of headers that look like secrets are returned"
        " as `********`.",
    )
    concurrency: Annotated[int, Field(strict=True, ge=1, le=MAX_ENDPOINT_CONCURRENCY)] = Field(
        MAX_ENDPOINT_CONCURRENCY, description="Concurrent requests of each worker process."
    )
    rate: Annotated[float, Field(ge=0.01, le=1000)] | None = Field(
        None, description="Requests per second of each worker process. null: no limit."
    )
    ordered: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Send events one by one in their order; a failing one holds up the rest.",
    )
    enabled: Annotated[bool, Field(strict=True)] = Field(
        True, description="Whether events are sent. Enabling resets the failures."
    )

    def changed(self, before: RegisteredEndpoint, now: datetime) -> RegisteredEndpoint:
        """Return the endpoint with the fields that are present."""
        given = self.model_dump(exclude_unset=True)
        if "events" in given:
            given["events"] = tuple(dict.fromkeys(given["events"]))
        after = replace(before, **given, updated_at=now)
        if after.enabled and not before.enabled:
            return replace(after, health=HEALTHY, disabled_reason="", disabled_at=None)
        if before.enabled and not after.enabled:
            return replace(after, disabled_reason="disabled by its owner", disabled_at=now)
        return after


class WebhookEndpointCreate(WebhookEndpointUpdate):
    """The body of `POST /v1/webhook-endpoints`."""

    model_config = ConfigDict(json_schema_extra=None)

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "Events of one customer's jobs": {
            "url": "https://hooks.example.com/genq",
            "description": "production",
            "metadata": {"customer": "42"},
        }
    }

    url: Url = Field(description="An https URL on the public internet.")


class Period(RequestModel):
    """The body of `…/recover` and `…/replay`."""

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "One day": {"since": "2026-01-30T00:00:00Z", "until": "2026-01-31T00:00:00Z"}
    }

    since: Time = Field(description="From this time on.")
    until: Time | None = Field(None, description="Before this time. Absent: until now.")

    @model_validator(mode="after")
    def begins_before_it_ends(self) -> "Period":
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since")
        return self


class NoQuery(Query):
    """No parameters."""


class RotateQuery(Query):
    """The query of `…/rotate-secret`."""

    overlap: Overlap = Field(
        "24h",
        validate_default=True,
        description="How long the old secret also signs, at most `7d`; `0` for a leaked secret.",
    )


class StatsQuery(Query):
    """The query of `…/stats`."""

    since: QueryTime | None = Field(None, description="Absent: 24 hours ago.")


class JobDeliveryQuery(Query):
    """Filters and the page of a list of deliveries."""

    state: Annotated[DeliveryState, one_of(DeliveryState)] | None = Field(
        None, description="Only in this state."
    )
    endpoint: EndpointId | None = Field(None, description="Only to this endpoint.")
    type: FeedEvent | None = Field(None, description="Only of this event type.")
    created_after: QueryTime | None = Field(None, description="Created at this time or later.")
    created_before: QueryTime | None = Field(None, description="Created before this time.")
    limit: Limit = Field(USUAL, description="Deliveries on one page.")
    cursor: Annotated[str, BeforeValidator(_delivery_of_cursor)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )

    def filters(self, job_id: str | None) -> LogFilters:
        return LogFilters(
            state=self.state,
            endpoint_id=self.endpoint,
            job_id=job_id,
            event_type=self.type,
            created_after=self.created_after,
            created_before=self.created_before,
        )


class DeliveryQuery(JobDeliveryQuery):
    """The same, of all jobs."""

    job: JobId | None = Field(None, description="Only of this job.")
