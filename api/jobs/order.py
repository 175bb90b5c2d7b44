"""
An order as it arrives: read, checked, and made into a job.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError
from ulid import ULID

from api.http.deadline import EXAMPLES, UnusableDeadline, read_deadline
from api.http.problem_types import PROVIDER_NOT_ALLOWED
from api.http.problems import Complaint, Problem, invalid
from api.http.validation_errors import complaints
from api.jobs.follow_ups import ACTION, Followups
from api.operations.catalogue import Catalogue, Offer
from generation.contract.request import Request, split
from generation.events import PUBLIC_EVENTS
from generation.job import Job, Webhook
from generation.settings import Settings
from generation.store import ApiKey
from generation.webhooks.guard import ForbiddenAddress, check_url

#: A longer model name is kept shortened beside the order, where it is only counted by.
LONGEST_MODEL = 100


def _known_event(event: str) -> str:
    if event not in PUBLIC_EVENTS:
        *names, last = PUBLIC_EVENTS
        expected = f"{', '.join(names)} or {last}"
        raise PydanticCustomError("enum", "must be one of {expected}", {"expected": expected})
    return event


EventName = Annotated[
    str, AfterValidator(_known_event), Field(json_schema_extra={"enum": list(PUBLIC_EVENTS)})
]
MetadataName = Annotated[str, StringConstraints(min_length=1, max_length=40)]
MetadataValue = Annotated[str, StringConstraints(max_length=500)]


class WebhookOrder(BaseModel):
    """Where to tell of the job, and of what."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, StringConstraints(max_length=2000)] = Field(
        description="An https URL on the public internet."
    )
    events: tuple[EventName, ...] | None = Field(
        None, max_length=len(PUBLIC_EVENTS), description="Empty or absent: every ending."
    )


class Order(BaseModel):
    """The body of `POST /v1/jobs`."""

    model_config = ConfigDict(extra="forbid")

    provider: str | None = Field(
        None, description="Whose service, as in `kling`. A follow-up may leave it out."
    )
    operation: str | None = Field(
        None, description="Which of its operations, as in `text2video`. An `action` needs none."
    )
    input: dict[str, Any] | None = Field(None, description="What the operation takes.")
    parent: str | None = Field(
        None, max_length=40, description="The finished job that this one follows."
    )
    action: str | None = Field(
        None,
        max_length=300,
        description="A follow-up that the parent's `actions` lists, as in `U1`; short for the"
        " operation `action`.",
    )
    webhook: WebhookOrder | None = Field(None, description="Whom to tell how it ended.")
    metadata: dict[MetadataName, MetadataValue] | None = Field(
        None, max_length=50, description="Yours; genq keeps it and gives it back."
    )
    priority: Annotated[int, Field(strict=True, ge=-10, le=10)] = Field(
        0,
        description="Among your own jobs that wait for the same station, higher ones go first.",
    )
    deadline: Any = Field(
        None,
        description=f"When to give the job up: {EXAMPLES}. At most 24 hours from now; absent:"
        " what is usual for the operation.",
        json_schema_extra={"type": ["string", "number", "null"]},
    )


class OrderReader:
    """Makes jobs of bodies. Touches no socket and no store."""

    def __init__(self, settings: Settings, catalogue: Catalogue, followups: Followups) -> None:
        self._catalogue = catalogue
        self._followups = followups
        self._nudge_again = settings.nudge_again
        self._webhook_policy = settings.webhook_policy

    def job(
        self,
        order: Order,
        caller: ApiKey,
        now: datetime,
        parent: Job | None,
        cancel_after: timedelta | None = None,
    ) -> tuple[Job, Offer]:
        """
        The job that is ordered, and the offer it is bought by. `cancel_after` is a deadline for an
        order that names none. Raises `Problem`.
        """
        provider, name, given = what_is_ordered(order, parent)
        check_provider(provider, caller)
        offer = self._catalogue.offer(provider, name)
        if parent is not None:
            offer = replace(offer, operation=self._followups.operation(parent, name))
        elif offer.operation.needs_parent:
            words = "names no job to follow; give the id of a finished one"
            raise invalid([Complaint("#/parent", words, "required")])
        found: list[Complaint] = []
        request = self._request(offer, given, found)
        deadline = self._deadline(offer, order, now, cancel_after, found)
        webhook = self._webhook(order, found)
        if found:
            raise invalid(found)
        if parent is not None or offer.operation.follows or offer.operation.built_to_check:
            self._followups.check(offer.operation, request, parent)
        job = Job(
            id=f"job_{ULID.from_datetime(now)}",
            tenant=caller.tenant,
            api_key_id=caller.id,
            quota_key=caller.quota_key,
            provider=provider,
            operation=name,
            model=model_named(request),
            input=request,
            parent_id=parent.id if parent else None,
            station=parent.station if parent else None,
            key=parent.key if parent else None,
            metadata=order.metadata or {},
            priority=order.priority,
            webhook=webhook,
            sequence=1,  # it is stored with its first event
            # A nudge follows the commit; this is for the one that is lost.
            wake_at=min(now + self._nudge_again, deadline),
            created_at=now,
            updated_at=now,
            deadline=deadline,
        )
        return job, offer

    def _request(
        self, offer: Offer, given: dict[str, Any], found: list[Complaint]
    ) -> dict[str, Any]:
        model: type[Request] = offer.operation.request
        extra: dict[str, Any] = {}
        if offer.takes_extra_fields:
            given, extra = split(model, given)
        try:
            request = model.model_validate(given)
        except ValidationError as error:
            found += complaints(error, given, model, ("input",))
            return {}
        return request.model_dump(mode="json", exclude_unset=True) | extra

    def _deadline(
        self,
        offer: Offer,
        order: Order,
        now: datetime,
        cancel_after: timedelta | None,
        found: list[Complaint],
    ) -> datetime:
        if order.deadline is None:
            return now + (cancel_after or offer.deadline)
        if cancel_after is not None:
            words = "is given twice, here and by Cancel-After; give it once"
            found.append(Complaint("#/deadline", words, "deadline"))
        try:
            return read_deadline(order.deadline, now)
        except UnusableDeadline as error:
            found.append(Complaint("#/deadline", str(error), "deadline"))
            return now

    def _webhook(self, order: Order, found: list[Complaint]) -> Webhook | None:
        if order.webhook is None:
            return None
        try:
            check_url(order.webhook.url, self._webhook_policy)
        except ForbiddenAddress as error:
            found.append(Complaint("#/webhook/url", str(error), "webhook_url"))
        events = dict.fromkeys(order.webhook.events or ())
        return Webhook(url=order.webhook.url, events=tuple(events))


def model_named(request: Mapping[str, Any]) -> str:
    """The model a request asks for, by whatever name its provider has for it; "" for the usual."""
    named = request.get("model_name") or request.get("model") or request.get("mv")
    return named[:LONGEST_MODEL] if isinstance(named, str) else ""


def what_is_ordered(order: Order, parent: Job | None) -> tuple[str, str, dict[str, Any]]:
    """
    Provider, operation and input. A follow-up takes its provider from the job it follows, and an
    `action` is an operation's name and its input in one. Raises `Problem` for what is missing.
    """
    if order.action is not None and parent is None:
        raise invalid([Complaint("#/parent", "is required: an action follows a job", "required")])
    provider = order.provider or (parent.provider if parent else None)
    name = order.operation or (ACTION if order.action is not None else None)
    missing = [
        Complaint(f"#/{field}", "is required", "required")
        for field, value in (
            ("provider", provider),
            ("operation", name),
            ("input", order.input if order.action is None and parent is None else {}),
        )
        if value is None
    ]
    if provider is None or name is None or missing:
        raise invalid(missing)
    if parent is not None and provider != parent.provider:
        words = f"must be {parent.provider}, as the job it follows"
        raise invalid([Complaint("#/provider", words, "parent")])
    given = dict(order.input or {})
    if order.action is not None:
        given["action"] = order.action
    return provider, name, given


def check_provider(provider: str, caller: ApiKey) -> None:
    """Raises `Problem` (403) where the caller's key is for other providers."""
    if not caller.access.permits(provider):
        allowed = ", ".join(sorted(caller.access.providers or ())) or "nobody"
        words = f"this key may order from {allowed}, and not from {provider}"
        raise Problem(PROVIDER_NOT_ALLOWED, words)


def read_order(body: object) -> Order:
    """Raises `Problem` for a body of another shape."""
    try:
        return Order.model_validate(body)
    except ValidationError as error:
        raise invalid(complaints(error, body, Order)) from error
