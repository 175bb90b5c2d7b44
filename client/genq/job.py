"""A job as the API returns it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: A JSON object of the API.
Document = dict[str, Any]

#: Final states; only an expired job may still succeed.
TERMINAL = frozenset({"succeeded", "failed", "canceled", "expired"})


@dataclass(frozen=True, slots=True)
class Asset:
    """One result file."""

    #: `image`, `video`, `audio` or `file`.
    type: str
    url: str
    #: `result`, `grid`, `cover`, `watermarked` …
    role: str
    #: When the URL expires, if known.
    expires_at: datetime | None
    #: The whole API document: `duration`, `width`, `title` …
    document: Document = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job ended without a result."""

    #: Such as `moderated` or `upstream_failed`.
    code: str
    #: The upstream's own message, if it gave one.
    message: str
    #: Whether a new job with the same request may succeed.
    retryable: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A job and its state. Times are UTC."""

    id: str
    #: Such as `kling.text2video`.
    operation: str
    #: `queued`, `submitting`, `running`, `awaiting_input`, `in_doubt`, `succeeded`, `failed`,
    #: `canceled` or `expired`.
    state: str
    #: Why it waits; empty if it does not wait.
    reason: str
    #: 0 to 100 percent; None if unknown.
    progress: int | None
    assets: tuple[Asset, ...]
    #: Generated texts: descriptions, lyrics, answers.
    texts: tuple[str, ...]
    #: Labels of available follow-ups, for `Client.act`.
    actions: tuple[str, ...]
    error: JobError | None
    #: Whether the upstream charged for it: `yes`, `no` or `unknown`.
    billed: str
    metadata: Mapping[str, str]
    created_at: datetime
    finished_at: datetime | None
    #: Seconds to wait before the next poll, if the API says so.
    retry_after: float | None
    #: The whole API document.
    document: Document = field(repr=False)

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    @property
    def succeeded(self) -> bool:
        return self.state == "succeeded"


def parse_job(document: Document, retry_after: float | None = None) -> Job:
    """Parse a job document. Raises `KeyError` or `ValueError` if it is not one."""
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
