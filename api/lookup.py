"""
What a job is called in a path: the id it was given, or the name its caller chose.
"""

import re

from starlette.requests import Request

from api.http.problem_types import NOT_FOUND
from api.http.problems import Complaint, Problem, invalid
from generation.job import Job
from generation.store import ApiKey, JobStore

JOB_ID = re.compile(r"job_[0-9A-HJKMNP-TV-Z]{26}")
BATCH_ID = re.compile(r"batch_[0-9A-HJKMNP-TV-Z]{26}")
#: No name of a caller's is a path of ours, or could be an id of ours.
CLIENT_ID = re.compile(r"(?!job_|batch$)[A-Za-z0-9][A-Za-z0-9._:~-]{0,99}")


async def named_job(store: JobStore, name: str, tenant: str) -> Job | None:
    """The tenant's job of this id, or of this name of the caller's; None where there is none."""
    if JOB_ID.fullmatch(name):
        return await store.get(name, tenant)
    return await store.named(name, tenant) if CLIENT_ID.fullmatch(name) else None


async def own_job(store: JobStore, request: Request, caller: ApiKey) -> Job:
    """The job in the path. Raises `Problem` (404) where there is none, or none of the caller's."""
    job = await named_job(store, request.path_params["job_id"], caller.tenant)
    if job is None:
        raise no_such_job()
    return job


async def own_id(store: JobStore, request: Request, caller: ApiKey) -> str:
    """
    The id of the job in the path; where it was given as an id, whether there is such a job is left
    to whoever looks it up. Raises `Problem` (404).
    """
    name: str = request.path_params["job_id"]
    return name if JOB_ID.fullmatch(name) else (await own_job(store, request, caller)).id


def checked_client_id(name: str) -> str:
    """The name, if a job may be called so. Raises `Problem` (422)."""
    if not CLIENT_ID.fullmatch(name):
        words = (
            "the client id in the path must be 1 to 100 letters, digits and . _ : ~ -, begin with"
            " a letter or digit, and be neither batch nor begin with job_"
        )
        raise invalid([Complaint("#", words, "client_id")])
    return name


def no_such_job() -> Problem:
    return Problem(NOT_FOUND, "there is no such job, or it is not yours")
