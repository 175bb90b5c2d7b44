"""The body of a submission, and the job that is made of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError
from ulid import ULID

from api.http.problem_types import PROVIDER_NOT_ALLOWED
from api.http.problems import Complaint, Problem, invalid
from api.http.schemas import RequestModel
from api.http.timestamps import DEADLINE_FORMS, UnusableDeadline, read_deadline
from api.http.validation_errors import complaints
from api.jobs.follow_ups import ACTION, FollowUps
from api.operations.catalogue import Catalogue, Offer
from generation.contract.request import Request, split
from generation.events import PUBLIC_EVENTS
from generation.job import Job, Webhook
from generation.settings import Settings
from generation.store import ApiKey
from generation.webhooks.guard import ForbiddenAddress, check_url

EXAMPLE: dict[str, Any] = {
    "provider": "kling",
    "operation": "text2video",
    "input": {"prompt": "a lighthouse at dusk, slow pan"},
    "webhook": {"url": "https://hooks.example.com/genq"},
    "metadata": {"customer": "42"},
    "deadline": "2h",
}
#: The `model` column, which statistics use, holds the beginning of a longer name.
MAX_MODEL_LENGTH = 100


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


class WebhookSubmission(RequestModel):
    """The receiver of the job's events, and which events it gets."""

    url: Annotated[str, StringConstraints(max_length=2000)] = Field(
        description="An https URL on the public internet."
    )
    events: tuple[EventName, ...] | None = Field(
        None,
        max_length=len(PUBLIC_EVENTS),
        description="Empty or absent: every event that ends the job.",
    )


class JobSubmission(RequestModel):
    """The body of `POST /v1/jobs`."""

    provider: str | None = Field(
        None, description="The service, such as `kling`. Optional in a follow-up."
    )
    operation: str | None = Field(
        None, description="The operation, such as `text2video`. Optional with an `action`."
    )
    input: dict[str, Any] | None = Field(None, description="The fields of the operation.")
    parent: str | None = Field(
        None, max_length=40, description="The finished job that this one follows."
    )
    action: str | None = Field(
        None,
        max_length=300,
        description="A follow-up from the parent's `actions`, such as `U1`; short for the"
        " operation `action`.",
    )
    webhook: WebhookSubmission | None = Field(None, description="Where to send the job's events.")
    metadata: dict[MetadataName, MetadataValue] | None = Field(
        None, max_length=50, description="Entries of your own, returned with the job."
    )
    priority: Annotated[int, Field(strict=True, ge=-10, le=10)] = Field(
        0,
        description="Of your jobs that wait for the same station, higher ones are submitted first.",
    )
    deadline: Any = Field(
        None,
        description=f"When to give the job up: {DEADLINE_FORMS}. At most 24 hours from now. Absent:"
        " the default of the operation.",
        json_schema_extra={"type": ["string", "number", "null"]},
    )


class SubmissionReader:
    """Makes jobs of submissions. Does no I/O."""

    def __init__(self, settings: Settings, catalogue: Catalogue, follow_ups: FollowUps) -> None:
        self._catalogue = catalogue
        self._follow_ups = follow_ups
        self._nudge_again = settings.nudge_again
        self._webhook_policy = settings.webhook_policy

    def job(
        self,
        submission: JobSubmission,
        caller: ApiKey,
        now: datetime,
        parent: Job | None,
        cancel_after: timedelta | None = None,
    ) -> Job:
        """Return the job of a submission, which is not stored yet.

        `cancel_after` is the time until the deadline if the submission has none. Raises `Problem`.
        """
        provider, name, given = target_of(submission, parent)
        check_provider(provider, caller)
        offer = self._catalogue.offer(provider, name)
        if parent is not None:
            offer = replace(offer, operation=self._follow_ups.operation(parent, name))
        elif offer.operation.needs_parent:
            detail = "names no job to follow; give the id of a finished one"
            raise invalid([Complaint("#/parent", detail, "required")])
        found: list[Complaint] = []
        request = self._request(offer, given, found)
        deadline = self._deadline(offer, submission, now, cancel_after, found)
        webhook = self._webhook(submission, found)
        if found:
            raise invalid(found)
        if parent is not None or offer.operation.follows or offer.operation.built_to_check:
            self._follow_ups.check(offer.operation, request, parent)
        return Job(
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
            metadata=submission.metadata or {},
            priority=submission.priority,
            webhook=webhook,
            sequence=1,  # it is stored with its first event
            # A nudge follows the commit; this repairs a lost one.
            wake_at=min(now + self._nudge_again, deadline),
            created_at=now,
            updated_at=now,
            deadline=deadline,
        )

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
        submission: JobSubmission,
        now: datetime,
        cancel_after: timedelta | None,
        found: list[Complaint],
    ) -> datetime:
        if submission.deadline is None:
            return now + (cancel_after or offer.deadline)
        if cancel_after is not None:
            detail = "is given twice, here and by Cancel-After; give it once"
            found.append(Complaint("#/deadline", detail, "deadline"))
        try:
            return read_deadline(submission.deadline, now)
        except UnusableDeadline as error:
            found.append(Complaint("#/deadline", str(error), "deadline"))
            return now

    def _webhook(self, submission: JobSubmission, found: list[Complaint]) -> Webhook | None:
        if submission.webhook is None:
            return None
        try:
            check_url(submission.webhook.url, self._webhook_policy)
        except ForbiddenAddress as error:
            found.append(Complaint("#/webhook/url", str(error), "webhook_url"))
        events = dict.fromkeys(submission.webhook.events or ())
        return Webhook(url=submission.webhook.url, events=tuple(events))


def model_named(request: Mapping[str, Any]) -> str:
    """Return the upstream model that a request names; "" for the default."""
    named = request.get("model_name") or request.get("model") or request.get("mv")
    return named[:MAX_MODEL_LENGTH] if isinstance(named, str) else ""


def target_of(submission: JobSubmission, parent: Job | None) -> tuple[str, str, dict[str, Any]]:
    """Return provider, operation and input.

    A follow-up has the provider of the job it follows; an `action` is an operation's name and its
    input in one. Raises `Problem` if one of them is missing.
    """
    if submission.action is not None and parent is None:
        raise invalid([Complaint("#/parent", "is required: an action follows a job", "required")])
    provider = submission.provider or (parent.provider if parent else None)
    name = submission.operation or (ACTION if submission.action is not None else None)
    missing = [
        Complaint(f"#/{field}", "is required", "required")
        for field, value in (
            ("provider", provider),
            ("operation", name),
            ("input", submission.input if submission.action is None and parent is None else {}),
        )
        if value is None
    ]
    if provider is None or name is None or missing:
        raise invalid(missing)
    if parent is not None and provider != parent.provider:
        detail = f"must be {parent.provider}, as the job it follows"
        raise invalid([Complaint("#/provider", detail, "parent")])
    given = dict(submission.input or {})
    if submission.action is not None:
        given["action"] = submission.action
    return provider, name, given


def check_provider(provider: str, caller: ApiKey) -> None:
    """Raise `Problem` (403) if the caller's key does not permit this provider."""
    if not caller.access.permits(provider):
        allowed = ", ".join(sorted(caller.access.providers or ())) or "nobody"
        detail = f"this key may order from {allowed}, and not from {provider}"
        raise Problem(PROVIDER_NOT_ALLOWED, detail)


def read_submission(body: object) -> JobSubmission:
    """Return the validated body. Raises `Problem` (422)."""
    try:
        return JobSubmission.model_validate(body)
    except ValidationError as error:
        raise invalid(complaints(error, body, JobSubmission)) from error
