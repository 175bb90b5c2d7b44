"""
What the API's description says of the endpoints around submits: doubts, and the bill.
"""

from dataclasses import replace
from datetime import timedelta

from api.docs.examples import BORN, JOB_ID
from api.docs.openapi_parts import REF, Spec, complains, describe, in_path, says
from api.http.problem_types import NOT_FOUND, NOT_IN_DOUBT, STORE_UNAVAILABLE, UNAUTHENTICATED
from api.http.problems import Complaint, Problem, invalid
from generation.job import Billed, DoubtResolution, Job, JobState
from generation.job_document import job_document
from generation.lifecycle.manual_resolution import not_created

_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")

_RESOLVED = Job(
    id=JOB_ID,
    tenant="example",
    api_key_id="example",
    provider="midjourney",
    operation="imagine",
    input={"prompt": "a lighthouse at dusk"},
    created_at=BORN,
    updated_at=BORN + timedelta(minutes=9),
    submitted_at=BORN + timedelta(seconds=1),
    started_at=BORN + timedelta(minutes=9),
    deadline=BORN + timedelta(hours=1),
    state=JobState.RUNNING,
    station="relay",
    key="main",
    dialect="midjourney.station",
    upstream_id="1768212345678901",
    attempts=1,
    billed=Billed.YES,
)

_ASKED_AGAIN = not_created(
    replace(
        _RESOLVED, state=JobState.IN_DOUBT, upstream_id=None, started_at=None, billed=Billed.UNKNOWN
    ),
    DoubtResolution.REQUEUE,
    BORN + timedelta(minutes=9),
)


class SubmitReference:
    """The OpenAPI operation objects."""

    def resolve(self) -> Spec:
        body: Spec = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": REF.format(model="Resolution")},
                    "examples": {
                        "created": {
                            "summary": "The task is there.",
                            "value": {"upstream_id": "1768212345678901"},
                        },
                        "send again": {
                            "summary": "There is no task; send the job again.",
                            "value": {"not_created": True, "then": "requeue"},
                        },
                        "fail": {
                            "summary": "There is no task; fail the job unbilled.",
                            "value": {"not_created": True, "then": "fail"},
                        },
                    },
                }
            },
        }
        return describe(
            "Jobs",
            "resolveJob",
            "Settle a doubt",
            "For a job that is `in_doubt`: its submit went out and nobody can say whether the"
            " upstream took it. Look in the station's own list of tasks, then say which id it has"
            " there, or that it was never created. Then the upstream is asked once more, where it"
            " can be, and a task that is found counts; where it cannot be asked, whoever says"
            " `requeue` of a task that is there after all pays for it twice. A task that another"
            " tenant's job has is refused.",
            parameters=[in_path("job_id", "The job's `id`.")],
            body=body,
            answers={
                200: says("The job as it goes on.", "Job", job_document(_RESOLVED)),
                202: says(
                    "Its upstream is asked once more before it is sent again or fails.",
                    "Job",
                    job_document(_ASKED_AGAIN),
                ),
            }
            | complains(
                _NO_KEY,
                Problem(NOT_FOUND, "there is no such job, or it is not yours"),
                Problem(NOT_IN_DOUBT, "the job is running, there is no doubt"),
                invalid(
                    [Complaint("#/then", "belongs to `not_created`: requeue or fail", "required")]
                ),
                _NO_STORE,
                instance=f"/v1/jobs/{JOB_ID}/resolve",
            ),
        )
