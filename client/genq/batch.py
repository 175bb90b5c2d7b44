"""
Jobs that were ordered together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from genq.job import Document, Job, parse_job


@dataclass(frozen=True, slots=True)
class Rejected:
    """One order of a batch that was not taken."""

    #: Its place among the orders, from 0.
    index: int
    #: As in `invalid_request`.
    code: str
    #: What to change.
    detail: str
    #: The whole document of the API, with `errors` for each place that is at fault.
    document: Document = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, and where its jobs stand. Times are UTC."""

    id: str
    #: How many jobs it has.
    total: int
    #: How many of them are in each state that any is in.
    counts: Mapping[str, int]
    #: Whether all have ended.
    done: bool
    created_at: datetime
    #: What was taken, in the order of the orders. Known of a batch that was just submitted;
    #: `Client.list(batch=id)` has the jobs of any.
    jobs: tuple[Job, ...]
    #: What was not taken of a batch that was just submitted.
    rejected: tuple[Rejected, ...]
    #: The whole document of the API.
    document: Document = field(repr=False)


def parse_batch(document: Document) -> Batch:
    """The batch of a document of the API's. Raises `KeyError` or `ValueError` for anything else."""
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
