"""
What the API's description says of `/v1/jobs/{id}/explain`.
"""

from datetime import datetime, timedelta

from api.docs.examples import BORN, JOB_ID, ExampleJobs
from api.docs.openapi_parts import Spec, complains, describe, in_path, says
from api.http.problem_types import NOT_FOUND, STORE_UNAVAILABLE, UNAUTHENTICATED
from api.http.problems import Problem
from generation.explain import (
    AttemptSummary,
    DeliverySummary,
    JobHistory,
    RecordedMove,
    explanation_document,
)
from generation.job import JobState
from generation.webhooks.delivery import DeliveryState

URL = "https://hooks.example.com/genq"


def explain_job(jobs: ExampleJobs) -> Spec:
    return describe(
        "Jobs",
        "explainJob",
        "Explain a job",
        "Its whole story: each state with its time and cause, every attempt with its station and"
        " key, the upstream's words, what it waits for, who was told, whether it was billed, and"
        " what happens next and when. For people; the words may change, the data will not.",
        parameters=[in_path("job_id", "The job's `id`.")],
        answers={200: says("Its story.", "Explanation", example(jobs))}
        | complains(
            Problem(UNAUTHENTICATED, "this path needs an API key"),
            Problem(NOT_FOUND, "there is no such job, or it is not yours"),
            Problem(STORE_UNAVAILABLE, "the database does not answer; try again later"),
            instance=f"/v1/jobs/{JOB_ID}/explain",
        ),
    )


def example(jobs: ExampleJobs) -> Spec:
    """A job that was sent, done and told of at the second try."""
    finished = jobs.succeeded.finished_at or BORN
    moves = (
        move(1, "job.queued", JobState.QUEUED, BORN, bound=False),
        move(2, "job.submitting", JobState.SUBMITTING, BORN + timedelta(seconds=1)),
        move(3, "job.started", JobState.RUNNING, BORN + timedelta(seconds=2)),
        move(4, "job.succeeded", JobState.SUCCEEDED, finished),
    )
    telling = DeliverySummary(
        id="dlv_01KG9Q2Z6M8T4V7X1Y3A5C7E9G",
        event_id=moves[-1].id,
        event_type="job.succeeded",
        url=URL,
        state=DeliveryState.QUEUED,
        attempts=1,
        last_status=500,
        last_error="status: answered 500",
        wake_at=finished + timedelta(seconds=5),
        created_at=finished,
        finished_at=None,
        tries=(AttemptSummary(number=1, at=finished, status=500, detail="answered 500"),),
    )
    return explanation_document(JobHistory(jobs.succeeded, moves, (telling,)), finished)


def move(
    number: int, event: str, state: JobState, moment: datetime, *, bound: bool = True
) -> RecordedMove:
    return RecordedMove(
        id=f"evt_01KG9Q2Z6M8T4V7X1Y3A5C7E9{number}",
        sequence=number,
        type=event,
        state=state,
        reason="",
        station="relay" if bound else None,
        key="main" if bound else None,
        at=moment,
    )
