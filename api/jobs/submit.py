"""`POST /v1/jobs` and `PUT /v1/jobs/{client_id}`: submit one job."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from api.auth.dependencies import Submitter
from api.container import Container
from api.dependencies import InContainer, RawJsonBody
from api.fast_path import fast_path
from api.http.openapi import problems, response
from api.http.problem_types import (
    BODY_TOO_SLOW,
    IDEMPOTENCY_KEY_BUSY,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_HEADER,
    MALFORMED_JSON,
    NO_STATION,
    PROVIDER_NOT_ALLOWED,
    QUOTA_EXCEEDED,
    UNSUPPORTED,
)
from api.http.problems import Complaint, Problem, invalid
from api.http.responses import json_answer
from api.jobs.examples import JOBS
from api.jobs.request_headers import (
    CANCEL_AFTER,
    IDEMPOTENCY_KEY,
    PREFER,
    SubmitHeaders,
    parameters,
    read_submit_headers,
)
from api.jobs.schemas import Job
from api.jobs.submission import JobSubmission
from api.lookup import checked_client_id
from api.routing import new_router
from generation.job_document import job_document
from generation.store import ApiKey, InsertResult

router = new_router("Jobs", "/v1/jobs")

SUBMIT_HEADERS = {
    "Location": "URL of the job.",
    "Idempotent-Replayed": "`true` if an earlier request created it.",
}
_HEADERS = SUBMIT_HEADERS | {
    "Retry-After": "Whole seconds after which to look at the job.",
    "openai-poll-after-ms": "The same in milliseconds.",
    "Preference-Applied": "`wait` if the response was held back for it.",
}
#: Problems of everything that submits jobs.
SUBMIT_PROBLEMS = (
    Problem(MALFORMED_JSON, "the body is not JSON: EOF while parsing an object at line 3 column 1"),
    Problem(INVALID_HEADER, 'Cancel-After must be a duration such as "5s", "10m" or "2h"'),
    Problem(BODY_TOO_SLOW, "the body was not whole 60 seconds after its head"),
    Problem(IDEMPOTENCY_KEY_BUSY, "an order with this key is being stored; ask again in a second"),
    Problem(
        IDEMPOTENCY_KEY_REUSED,
        "this Idempotency-Key was used for an order with another body; use a new one for a new"
        " order",
    ),
    Problem(PROVIDER_NOT_ALLOWED, "this key may order from kling, and not from suno"),
    Problem(
        QUOTA_EXCEEDED,
        "this key may order at a rate of 60/m, and is faster",
        extra={"violated-policies": ["submit"]},
    ),
    Problem(NO_STATION, "this deployment has no station yet"),
)
_INVALID = (
    invalid(
        [
            Complaint("#/input/prompt", "is required", "required"),
            Complaint(
                "#/webhook/url", "http:// is not permitted here; use https://", "webhook_url"
            ),
        ]
    ),
    invalid(
        [
            Complaint(
                "#/operation",
                "no station here offers kling.text2video; of midjourney, this deployment offers"
                " imagine",
                "unsupported",
            )
        ],
        UNSUPPORTED,
    ),
)
_RESPONSES = (
    response(
        200,
        "The job ended during the wait (`Prefer: wait`).",
        model=Job,
        example=job_document(JOBS.succeeded),
        headers=_HEADERS,
    )
    | response(202, "The job is stored.", example=job_document(JOBS.queued), headers=_HEADERS)
    | problems(*SUBMIT_PROBLEMS, *_INVALID)
)
Body = Annotated[object, RawJsonBody.of(JobSubmission)]


@router.post(
    "",
    response_model=Job,
    status_code=202,
    responses=_RESPONSES,
    openapi_extra=parameters(IDEMPOTENCY_KEY, PREFER, CANCEL_AFTER),
)
@fast_path
async def create_job(
    request: Request, caller: Submitter, body: Body, container: InContainer
) -> Response:
    """Submit a job.

    `202` means that the job is stored and will be worked on, whatever breaks. Look at it after
    `Retry-After` seconds, wait for it (`Prefer: wait=30`), or name a `webhook` that is called. With
    an `Idempotency-Key` a submission can be sent again until it is answered. From clients that
    repeat requests by themselves and send no key (SDKs made by Stainless, fal's), an equal
    submission within two minutes is the same job. `metadata` has at most 50 entries, with names of
    up to 40 and values of up to 500 characters.
    """
    headers = read_submit_headers(request.scope["headers"])
    return await submit(body, caller, headers, container)


@router.put(
    "/{job_id}",
    response_model=Job,
    status_code=202,
    responses=_RESPONSES,
    openapi_extra=parameters(PREFER, CANCEL_AFTER),
)
@fast_path
async def put_job(
    request: Request,
    caller: Submitter,
    body: Body,
    job_id: Annotated[str, Path(description="Your name for the job, as in `order-42`.")],
    container: InContainer,
) -> Response:
    """Submit a job under a name of your own.

    The name in the path is the idempotency key: equal submissions are one job, however often they
    are sent, for as long as the job is kept. The job is then found under its name wherever a path
    has a job's id. A name has 1 to 100 letters, digits and `. _ : ~ -`, begins with a letter or a
    digit, and is neither `batch` nor begins with `job_`.
    """
    client_id = checked_client_id(job_id)
    headers = read_submit_headers(request.scope["headers"])
    return await submit(body, caller, headers, container, client_id)


async def submit(
    body: object,
    caller: ApiKey,
    headers: SubmitHeaders,
    container: Container,
    client_id: str | None = None,
) -> Response:
    now = datetime.now(UTC)
    placed = await container.admission.submit(body, caller, headers, now, client_id)
    return await submit_response(placed, headers, now, container)


async def submit_response(
    placed: InsertResult, headers: SubmitHeaders, now: datetime, container: Container
) -> Response:
    """Return 202 with the job; 200 if its end was waited for and has come."""
    job = placed.jobs[0]
    fields: dict[str, str] = {}
    if placed.replayed:
        fields["Idempotent-Replayed"] = "true"
    if headers.wait is not None:
        job, now = await container.job_waiter.ended(job, headers.wait), datetime.now(UTC)
        fields["Preference-Applied"] = "wait"
    document = job_document(job, container.base_url)
    fields |= {
        "Location": document["urls"]["self"],
        **container.poll_hints.headers(job, now),
    }
    has_ended = headers.wait is not None and job.is_terminal
    return json_answer(document, 200 if has_ended else 202, fields)
