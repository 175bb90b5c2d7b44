"""
What the API's description says of each endpoint.
"""

from api.docs.examples import JOB_ID, ExampleJobs
from api.docs.job_schemas import input_body
from api.docs.openapi_parts import Spec, complains, describe, in_header, in_path, in_query, says
from api.http.problem_types import (
    ALREADY_TERMINAL,
    INVALID_QUERY,
    NOT_AWAITING_INPUT,
    NOT_FOUND,
    STILL_NEEDED,
    STORE_UNAVAILABLE,
    UNAUTHENTICATED,
)
from api.http.problems import Complaint, Problem, invalid
from api.http.query_params import MOST, USUAL
from api.jobs.list_query import cursor
from api.operations.catalogue import Catalogue
from generation.job import JobState
from generation.job_document import job_document

ETAG = '"4.20260131"'
_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NO_JOB = Problem(NOT_FOUND, "there is no such job, or it is not yours")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")
_JOB_ID = in_path("job_id", "The job's `id`.")


TIMES = {
    "created_after": "ordered at this time or later",
    "created_before": "ordered before this time",
    "updated_after": "that changed at this time or later",
    "updated_before": "that have not changed since this time",
}


class Reference:
    """The OpenAPI operation objects, with examples of what is really ordered and answered."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._jobs = ExampleJobs(catalogue.entries[0].operation)

    def get_job(self) -> Spec:
        return describe(
            "Jobs",
            "getJob",
            "Look at a job",
            "Where it stands and, once it has ended well, its `assets` or `texts`.",
            parameters=[
                _JOB_ID,
                in_header(
                    "If-None-Match",
                    "An `ETag`: answer 304 while it holds.",
                    '"01KG9Q2Z6M8T4V7X1Y3A5C7E9G.4"',
                ),
            ],
            answers={
                200: says(
                    "The job.",
                    "Job",
                    job_document(self._jobs.succeeded),
                    {
                        "ETag": "Another whenever anything here has changed.",
                        "Retry-After": "Whole seconds until the next look is worth it; not told"
                        " of a job that has ended.",
                        "openai-poll-after-ms": "The same in milliseconds.",
                    },
                ),
                304: {"description": "Nothing has changed since `If-None-Match`."},
            }
            | complains(_NO_KEY, _NO_JOB, _NO_STORE, instance=f"/v1/jobs/{JOB_ID}"),
        )

    def list_jobs(self) -> Spec:
        page = {
            "data": [job_document(self._jobs.succeeded)],
            "next_cursor": cursor("b", JOB_ID),
            "prev_cursor": None,
            "has_more": True,
        }
        links = {"Link": "The pages around it, as `next` and `prev`."}
        return describe(
            "Jobs",
            "listJobs",
            "List jobs",
            "Your tenant's jobs, newest first. `metadata.NAME=value`, for up to five names, lists"
            " those with this entry in their metadata. An unknown parameter is an error.",
            parameters=[
                in_query("state", "Only jobs in this state.", {"enum": list(JobState)}),
                in_query("provider", "Only jobs of this provider.", {"type": "string"}),
                in_query("operation", "Only jobs of this operation.", {"type": "string"}),
                in_query("station", "Only jobs bound to this station.", {"type": "string"}),
                *(
                    in_query(name, f"Only jobs {words}.", {"type": "string", "format": "date-time"})
                    for name, words in TIMES.items()
                ),
                in_query("parent", "Only jobs that follow this one.", {"type": "string"}),
                in_query("batch", "Only jobs of this batch.", {"type": "string"}),
                in_query(
                    "limit",
                    "How many at once.",
                    {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
                ),
                in_query(
                    "cursor",
                    "The `next_cursor` or `prev_cursor` of a page.",
                    {"type": "string"},
                ),
            ],
            answers={200: says("A page.", "JobPage", page, links)}
            | complains(
                Problem(INVALID_QUERY, "limit must be a whole number from 1 to 100"),
                _NO_KEY,
                _NO_STORE,
            ),
        )

    def cancel_job(self) -> Spec:
        return describe(
            "Jobs",
            "cancelJob",
            "Cancel a job",
            "A job that was not sent yet is canceled at once (200). One that may be upstream is"
            " `canceling` (202) until a worker has seen to it: it looks once, and a task that has"
            " finished meanwhile makes the job `succeeded` or `failed`; any other is stopped where"
            " the upstream can, otherwise let go of, and then it may still be billed. Asking again"
            " changes nothing.",
            parameters=[_JOB_ID],
            answers={
                200: says("It is canceled.", "Job", job_document(self._jobs.canceled)),
                202: says("It is being canceled.", "Job", job_document(self._jobs.canceling)),
            }
            | complains(
                _NO_KEY,
                _NO_JOB,
                Problem(ALREADY_TERMINAL, "the job has succeeded; it cannot be canceled"),
                _NO_STORE,
                instance=f"/v1/jobs/{JOB_ID}/cancel",
            ),
        )

    def give_input(self) -> Spec:
        return describe(
            "Jobs",
            "giveInput",
            "Give a waiting job what it waits for",
            "For a job that is `awaiting_input`: a Midjourney button that opened a window wants a"
            " `prompt`, a `mask`, or both. A worker sends it on; should the upstream refuse it, the"
            " job waits on and its `reason` says why.",
            parameters=[_JOB_ID],
            body=input_body(),
            answers={202: says("It will be sent.", "Job", job_document(self._jobs.succeeded))}
            | complains(
                _NO_KEY,
                _NO_JOB,
                Problem(NOT_AWAITING_INPUT, "the job is running and waits for nothing from you"),
                invalid([Complaint("#/mask", "is required", "required")]),
                _NO_STORE,
                instance=f"/v1/jobs/{JOB_ID}/input",
            ),
        )

    def reply(self) -> Spec:
        example = {"object": "reply", "job": JOB_ID, "reply": 'HTTP 200\n{"code":1}'}
        return describe(
            "Jobs",
            "getReply",
            "Read what the upstream said last",
            "Its literal words when the job last changed, cut to 8,000 characters and without"
            " secrets: for debugging a station.",
            parameters=[_JOB_ID],
            answers={200: says("Its words.", "Reply", example)}
            | complains(_NO_KEY, _NO_JOB, _NO_STORE, instance=f"/v1/jobs/{JOB_ID}/reply"),
        )


def erase_job(jobs: ExampleJobs) -> Spec:
    return describe(
        "Jobs",
        "eraseJob",
        "Erase a job's content",
        "For a job that has ended: its `input`, `metadata`, `webhook`, assets, texts and the"
        " upstream's words are erased for good, here and in its events and deliveries. What is kept"
        " says where it was bought, when, and what it cost. Deliveries that were owed are canceled,"
        " and a late success of an expired job is not looked for any more. Asking again changes"
        " nothing.",
        parameters=[in_path("job_id", "The job's `id`.")],
        answers={200: says("What is kept.", "Job", job_document(jobs.erased))}
        | complains(
            Problem(UNAUTHENTICATED, "this path needs an API key"),
            Problem(NOT_FOUND, "there is no such job, or it is not yours"),
            Problem(STILL_NEEDED, "the job is running; cancel it, or wait until it has ended"),
            Problem(STORE_UNAVAILABLE, "the database does not answer; try again later"),
            instance=f"/v1/jobs/{JOB_ID}",
        ),
    )
