"""
What the API's description says of erasing a job.
"""

from api.examples import JOB_ID, ExampleJobs
from api.kinds import NOT_FOUND, STILL_NEEDED, STORE_UNAVAILABLE, UNAUTHENTICATED
from api.problems import Problem
from api.spec import Spec, complains, describe, in_path, says
from generation.document import job_document


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
