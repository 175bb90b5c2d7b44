"""Responses of the event log."""

import json
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from api.events.query import cursor_of
from api.http.schemas import Document
from api.jobs.examples import CREATED_AT, JOB_ID, JOBS
from generation.events import payload_of
from generation.job_document import job_document

EVENT: dict[str, Any] = json.loads(
    payload_of(
        "evt_01KG9QCT8P2N6R0S4V7X9Z1B3D",
        "job.succeeded",
        CREATED_AT + timedelta(seconds=321),
        4,
        job_document(JOBS.succeeded),
    )
)
TOKEN = f"key_01KG9Q2Z6M8T4V7X1Y3A5C7E9G.1769864400.{'x' * 32}"


class Event(Document):
    """An event and the job at that time, as in a webhook."""

    type: str
    timestamp: datetime
    data: dict[str, Any] = Field(
        description="The job at that time, as `GET /v1/jobs/{id}` returns it; for an `endpoint.`"
        " event, the endpoint."
    )
    id: str = Field(description="The same in every delivery and response. Drop repeats by it.")
    sequence: int = Field(description="Increases within the job. Numbers may be skipped.")


class EventPage(Document):
    """One page of events, oldest first."""

    EXAMPLE: ClassVar[object] = {
        "data": [EVENT],
        "next_cursor": cursor_of(1234),
        "has_more": False,
    }

    data: list[Event]
    next_cursor: str = Field(description="The `after` of the next page. Never null.")
    has_more: bool = Field(description="Whether more events exist now.")


class StreamToken(Document):
    """A token that opens the stream of one job."""

    EXAMPLE: ClassVar[object] = {
        "object": "stream_token",
        "job": JOB_ID,
        "token": TOKEN,
        "url": f"/v1/jobs/{JOB_ID}/stream?token={TOKEN}",
        "expires_at": "2026-01-31T13:00:00.000Z",
    }

    object: Literal["stream_token"]
    job: str
    token: str
    url: str = Field(description="For `new EventSource(url)`.")
    expires_at: datetime
