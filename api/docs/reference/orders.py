"""
What the API's description says of taking orders: one by one, and in batches.
"""

from api.docs.examples import BATCH_ID, ExampleJobs
from api.docs.job_schemas import order_body, order_example
from api.docs.openapi_parts import (
    OUT_OF_SCOPE,
    Spec,
    complains,
    describe,
    in_header,
    in_path,
    says,
    takes,
)
from api.http.problem_types import (
    BODY_TOO_LARGE,
    BODY_TOO_SLOW,
    IDEMPOTENCY_KEY_BUSY,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_HEADER,
    MALFORMED_JSON,
    NO_STATION,
    NOT_FOUND,
    PROVIDER_NOT_ALLOWED,
    QUOTA_EXCEEDED,
    STORE_UNAVAILABLE,
    UNAUTHENTICATED,
    UNSUPPORTED,
)
from api.http.problems import Complaint, Problem, invalid
from api.jobs.batches import MOST, BatchOrder
from api.operations.catalogue import Catalogue
from generation.job_document import job_document

_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")
_NO_BATCH = Problem(NOT_FOUND, "there is no such batch, or it is not yours")
_BATCH_ID = in_path("batch_id", "The batch's `id`.")
_IDEMPOTENCY_KEY = in_header(
    "Idempotency-Key",
    "1 to 255 visible characters of your choice. The same order with the same key is one job,"
    " however often it is sent; the key is kept until 7 days after the job has ended, at least.",
    "order-42",
)
_PREFER = in_header(
    "Prefer",
    "`wait=N`: answer once the job has ended, or after N seconds, of which there may be 60.",
    "wait=30",
)
_CANCEL_AFTER = in_header(
    "Cancel-After", "A `deadline` for orders that name none: `5s`, `10m`, `2h`.", "10m"
)
_HEADERS = {
    "Location": "Where to look at it.",
    "Idempotent-Replayed": "`true` where an earlier request had made it.",
}
_POLL = {
    "Retry-After": "Whole seconds until a look is worth it.",
    "openai-poll-after-ms": "The same in milliseconds.",
    "Preference-Applied": "`wait` where it was waited.",
}
_UNUSABLE = (
    Problem(MALFORMED_JSON, "the body is not JSON: EOF while parsing an object at line 3 column 1"),
    Problem(INVALID_HEADER, 'Cancel-After must be a duration such as "5s", "10m" or "2h"'),
    _NO_KEY,
    Problem(BODY_TOO_SLOW, "the body was not whole 60 seconds after its head"),
    Problem(BODY_TOO_LARGE, "the body may have at most 33554432 bytes"),
    Problem(IDEMPOTENCY_KEY_BUSY, "an order with this key is being stored; ask again in a second"),
    Problem(
        IDEMPOTENCY_KEY_REUSED,
        "this Idempotency-Key was used for an order with another body; use a new one for a new"
        " order",
    ),
    OUT_OF_SCOPE,
    Problem(PROVIDER_NOT_ALLOWED, "this key may order from kling, and not from suno"),
    Problem(
        QUOTA_EXCEEDED,
        "this key may order at a rate of 60/m, and is faster",
        extra={"violated-policies": ["submit"]},
    ),
    Problem(NO_STATION, "this deployment has no station yet"),
    _NO_STORE,
)
_WRONG = invalid(
    [
        Complaint("#/input/prompt", "is required", "required"),
        Complaint("#/webhook/url", "http:// is not permitted here; use https://", "webhook_url"),
    ]
)
_UNOFFERED = invalid(
    [
        Complaint(
            "#/operation",
            "no station here sells kling.text2video; this deployment offers midjourney.imagine",
            "unsupported",
        )
    ],
    UNSUPPORTED,
)


class OrderReference:
    """The OpenAPI operation objects, with examples of what is really ordered and answered."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._jobs = ExampleJobs(catalogue.entries[0].operation)

    def create_job(self) -> Spec:
        return describe(
            "Jobs",
            "createJob",
            "Order a job",
            "`202` means the job is on disk and will be worked on, whatever breaks. Look at it"
            " after `Retry-After` seconds, wait for it (`Prefer: wait=30`), or name a `webhook` and"
            " be told. With an `Idempotency-Key` an order may be sent again until it is answered."
            " Of clients that repeat by themselves and send no key (SDKs made by Stainless, fal's),"
            " an equal order within two minutes is the same job."
            " `metadata` has at most 50 entries, with names of up to 40 and values of up to 500"
            " characters.",
            parameters=[_IDEMPOTENCY_KEY, _PREFER, _CANCEL_AFTER],
            body=order_body(self._catalogue),
            answers=self._taken() | complains(*_UNUSABLE, _WRONG, _UNOFFERED),
        )

    def put_job(self) -> Spec:
        return describe(
            "Jobs",
            "putJob",
            "Order a job under a name of your own",
            "The name in the path is the order's key: the same order is one job, however often it"
            " is sent, for as long as the job is kept. From then on the job is found under its name"
            " wherever a path has a job's id. A name has 1 to 100 letters, digits and `. _ : ~ -`,"
            " begins with a letter or a digit, and is neither `batch` nor begins with `job_`.",
            parameters=[
                in_path("job_id", "Your name for the job, as in `order-42`."),
                _PREFER,
                _CANCEL_AFTER,
            ],
            body=order_body(self._catalogue),
            answers=self._taken()
            | complains(*_UNUSABLE, _WRONG, _UNOFFERED, instance="/v1/jobs/order-42"),
        )

    def create_batch(self) -> Spec:
        example = order_example(self._catalogue.entries[0])
        placed = self._batch() | {
            "jobs": [job_document(self._jobs.of_batch)],
            "rejected": [
                {
                    "index": 1,
                    "code": "invalid_request",
                    "status": 422,
                    "title": "The order cannot be used as written",
                    "detail": "#/input/prompt: is required",
                    "errors": [
                        {"pointer": "#/input/prompt", "detail": "is required", "code": "required"}
                    ],
                }
            ],
        }
        wrong = invalid([Complaint("#/jobs/1/input/prompt", "is required", "required")])
        return describe(
            "Batches",
            "createBatch",
            f"Order up to {MOST} jobs at once",
            "All of them are stored in one transaction. Where one order cannot be taken none is,"
            " and every complaint says in its pointer which it means; with `mode` `each` the others"
            " are taken, and `rejected` lists what was not.",
            parameters=[_IDEMPOTENCY_KEY, _CANCEL_AFTER],
            body=takes(
                BatchOrder.__name__,
                {
                    "each": (
                        "Two orders, each for itself.",
                        {"jobs": [example, example], "mode": "each"},
                    )
                },
            ),
            answers={202: says("They are on disk.", "PlacedBatch", placed, _HEADERS)}
            | complains(*_UNUSABLE, wrong, instance="/v1/jobs/batch"),
        )

    def get_batch(self) -> Spec:
        return describe(
            "Batches",
            "getBatch",
            "Look at a batch",
            "How many of its jobs are in which state. `GET /v1/jobs?batch=…` lists them.",
            parameters=[_BATCH_ID],
            answers={200: says("The batch.", "Batch", self._batch())}
            | complains(_NO_KEY, _NO_BATCH, _NO_STORE, instance=f"/v1/batches/{BATCH_ID}"),
        )

    def cancel_batch(self) -> Spec:
        ended = self._batch() | {"counts": {"canceled": 1}, "done": True}
        return describe(
            "Batches",
            "cancelBatch",
            "Cancel a batch",
            "Cancels every job of it that has not ended, each as `POST /v1/jobs/{job_id}/cancel`"
            " does. Asking again changes nothing.",
            parameters=[_BATCH_ID],
            answers={
                200: says("All its jobs have ended.", "Batch", ended),
                202: says("Some have still to be canceled upstream.", "Batch", self._batch()),
            }
            | complains(_NO_KEY, _NO_BATCH, _NO_STORE, instance=f"/v1/batches/{BATCH_ID}/cancel"),
        )

    def _taken(self) -> dict[int, Spec]:
        headers = _HEADERS | _POLL
        return {
            200: says(
                "It has ended while you waited (`Prefer: wait`).",
                "Job",
                job_document(self._jobs.succeeded),
                headers,
            ),
            202: says("The job is on disk.", "Job", job_document(self._jobs.queued), headers),
        }

    def _batch(self) -> Spec:
        return {
            "id": BATCH_ID,
            "object": "batch",
            "total": 1,
            "counts": {"queued": 1},
            "done": False,
            "created_at": "2026-01-31T12:00:00.000Z",
            "urls": {
                "self": f"/v1/batches/{BATCH_ID}",
                "cancel": f"/v1/batches/{BATCH_ID}/cancel",
                "jobs": f"/v1/jobs?batch={BATCH_ID}",
            },
        }
