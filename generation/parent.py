"""Jobs that follow a finished job: an upscale of a picture, the continuation of a song."""

from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Parent
from generation.contract.status import Succeeded
from generation.job import Job, JobState


def parent_of(job: Job) -> Parent:
    """Return what a follow-up may know of the job it follows.

    Raises `Rejected` for a job without a result to follow, with the reason.
    """
    if job.erased_at is not None:
        raise Rejected(
            f"{job.id} has been erased, and cannot be followed any more",
            code=ErrorCode.INVALID_REQUEST,
        )
    if job.state is not JobState.SUCCEEDED or job.result is None:
        code = ErrorCode.INVALID_REQUEST if job.is_terminal else ErrorCode.NOT_READY
        raise Rejected(
            f"{job.id} is {job.state}; only a job that succeeded can be followed", code=code
        )
    result = job.result
    return Parent(
        operation=job.operation,
        upstream_id=job.upstream_id or "",
        details=job.upstream_details,
        input=job.input,
        result=Succeeded(result.assets, result.texts, result.actions, result.details),
    )
