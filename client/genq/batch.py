"""A batch: jobs that were submitted together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from genq.job import Document, Job, parse_job


@dataclass(frozen=True, slots=True)
class Rejected:
    """One job of a batch that was not accepted."""

    #: Index in the submitted sequence, from 0.
    index: int
    #: Such as `invalid_request`.
    code: str
    #: What to change.
    detail: str
    #: The whole API document, with one entry in `errors` per invalid field.
    document: Document = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and the states of its jobs. Times are UTC."""

    id: str
    #: Number of jobs.
    total: int
    #: Number of jobs by state, without empty states.
    counts: Mapping[str, int]
    #: Whether all jobs have ended.
    done: bool
    created_at: datetime
    #: The accepted jobs, in the submitted order; empty unless the batch was just submitted.
    #: `Client.list(batch=id)` has the jobs of any batch.
    jobs: tuple[Job, ...]
    #: The jobs that were not accepted; empty unless the batch was just submitted.
    rejected: tuple[Rejected, ...]
    #: The whole API document.
    document: Document = field(repr=False)


def parse_batch(document: Document) -> Batch:
    """Parse a batch document. Raises `KeyError` or `ValueError` if it is not one."""
    return Batch(
        id=document["id"],
        total=document["total"],
        counts=document["counts"],
        done=document["done"],
        created_at=datetime.fromisoformat(document["created_at"]),
        jobs=tuple(parse_job(each) for each in document.get("jobs", ())),
        rejected=tuple(
            Rejected(each["index"], each["code"], each["detail"], each)
            for each in document.get("rejected", ())
        ),
        document=document,
    )
