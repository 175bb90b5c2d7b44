"""
A job as the API tells of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: A JSON object of the API.
Document = dict[str, Any]

#: States in which nothing more happens, but for an expired job that succeeds after all.
TERMINAL = frozenset({"succeeded", "failed", "canceled", "expired"})


@dataclass(frozen=True, slots=True)
class Asset:
    """One finished file."""

    #: `image`, `video`, `audio` or `file`.
    type: str
    url: str
    #: What it is among the job's assets: `result`, `grid`, `cover`, `watermarked` …
    role: str
    #: When the URL stops working, where that is known.
    expires_at: datetime | None
    #: Everything the API says of it: `duration`, `width`, `title` …
    document: Document = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job ended without a result."""

    #: As in `moderated` or `upstream_failed`.
    code: str
    #: The upstream's own words, where it had any.
    message: str
    #: Whether a new job with the same request may well succeed.
    retryable: bool


@dataclass(frozen=True, slots=True)
class Job:
    """One order, and where it stands. Times are UTC."""

    id: str
    #: As in `kling.text2video`.
    operation: str
    #: `queued`, `submitting`, `running`, `awaiting_input`, `in_doubt`, `succeeded`, `failed`,
    #: `canceled` or `expired`.
    state: str
    #: Why it waits, in words; empty while nothing holds it up.
    reason: str
    #: 0 to 100, or None where the upstream does not say.
    progress: int | None
    assets: tuple[Asset, ...]
    #: What the job wrote, where it writes: descriptions, lyrics, answers.
    texts: tuple[str, ...]
    #: Labels of the follow-ups it offers, for `Client.act`.
    actions: tuple[str, ...]
    error: JobError | None
    #: Whether the upstream charged for it: `yes`, `no` or `unknown`.
    billed: str
    metadata: Mapping[str, str]
    created_at: datetime
    finished_at: datetime | None
    #: Seconds after which it is worth asking again, if the API said so.
    retry_after: float | None
    #: The whole document of the API.
    document: Document = field(repr=False)

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    @property
    def succeeded(self) -> bool:
        return self.state == "succeeded"


def parse_job(document: Document, retry_after: float | None = None) -> Job:
    """The job of a document of the API's. Raises `KeyError` or `ValueError` for anything else."""
    error = document["error"]
    return Job(
        id=document["id"],
        operation=f"{document['provider']}.{document['operation']}",
        state=document["state"],
        reason=document["reason"] or "",
        progress=document["progress"],
        assets=tuple(parse_asset(each) for each in document["assets"]),
        texts=tuple(document["texts"]),
        actions=tuple(document["actions"]),
        error=error and JobError(error["code"], error["message"], error["retryable"]),
        billed=document["billed"],
        metadata=document["metadata"],
        created_at=datetime.fromisoformat(document["created_at"]),
        finished_at=parse_time(document["finished_at"]),
        retry_after=retry_after,
        document=document,
    )


def parse_asset(document: Document) -> Asset:
    return Asset(
        type=document["type"],
        url=document["url"],
        role=document["role"],
        expires_at=parse_time(document["expires_at"]),
        document=document,
    )


def parse_time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
