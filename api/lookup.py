"""Finding the job of a path: by its id, or by the client id that its caller chose."""

import re

from starlette.requests import Request

from api.http.problem_types import NOT_FOUND
from api.http.problems import Complaint, Problem, invalid
from generation.job import Job
from generation.store import ApiKey, JobStore

JOB_ID = re.compile(r"job_[0-9A-HJKMNP-TV-Z]{26}")
BATCH_ID = re.compile(r"batch_[0-9A-HJKMNP-TV-Z]{26}")
#: A client id is neither a path of the API nor of the form of a job id.
CLIENT_ID = re.compile(r"(?!job_|batch$)[A-Za-z0-9][A-Za-z0-9._:~-]{0,99}")


async def find_job(store: JobStore, name: str, tenant: str) -> Job | None:
    """Return the tenant's job with this id or client id."""
    if JOB_ID.fullmatch(name):
        return await store.get(name, tenant)
    return await store.named(name, tenant) if CLIENT_ID.fullmatch(name) else None


async def own_job(store: JobStore, request: Request, caller: ApiKey) -> Job:
    """Return the job of the path. Raises `Problem` (404), also for another tenant's job."""
    job = await find_job(store, request.path_params["job_id"], caller.tenant)
    if job is None:
        raise no_such_job()
    return job


async def own_id(store: JobStore, request: Request, caller: ApiKey) -> str:
    """Return the id of the job of the path.

    Raises `Problem` (404) for an unknown client id.

    An id in the path is returned without a look at the database.
    """
    name: str = request.path_params["job_id"]
    return name if JOB_ID.fullmatch(name) else (await own_job(store, request, caller)).id


def checked_client_id(name: str) -> str:
    """Return the name if a job may have it as its client id. Raises `Problem` (422)."""
    if not CLIENT_ID.fullmatch(name):
        detail = (
            "the client id in the path must be 1 to 100 letters, digits and . _ : ~ -, begin with"
            " a letter or digit, and be neither batch nor begin with job_"
        )
        raise invalid([Complaint("#", detail, "client_id")])
    return name


def no_such_job() -> Problem:
    return Problem(NOT_FOUND, "there is no such job, or it is not yours")
