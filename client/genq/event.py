"""
What happened to a job: the body of a webhook, an entry of the feed, a message of a stream.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

from genq.errors import UnverifiedWebhook
from genq.job import Document, Job, parse_job


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. The same event may come more than once, always under one `id`."""

    #: `evt_…`: keep the ids you have dealt with. Empty for progress that is only told in passing.
    id: str
    #: As in `job.succeeded`.
    type: str
    #: 1, 2, 3 … within the job; None where the event is not of a job.
    sequence: int | None
    timestamp: datetime
    #: What it is about; `job` reads it where it is a job.
    data: Document = field(repr=False)
    #: Its place in the stream it came by, for `Client.events(after=…)`; None where it has none.
    cursor: str | None = None

    @property
    def job(self) -> Job:
        """The job as it was at that moment. Raises `KeyError` where the event is of none."""
        return parse_job(self.data)


def parse_event(document: Document, cursor: str | None = None) -> Event:
    """Raises `KeyError` or `ValueError` for what is no event of genq's."""
    return Event(
        id=document.get("id", ""),
        type=document["type"],
        sequence=document.get("sequence"),
        timestamp=datetime.fromisoformat(document["timestamp"]),
        data=document["data"],
        cursor=cursor,
    )


def verify_webhook(body: bytes | str, headers: Mapping[str, str], secret: str) -> Event:
    """
    The event of a webhook that this secret (`whsec_…`) signed, given the raw body and the headers
    as they came. Raises `UnverifiedWebhook` for any other, and for one more than five minutes old.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        Webhook(secret).verify(body, lowered)
        return parse_event(json.loads(body))
    except (WebhookVerificationError, ValueError, KeyError, TypeError) as error:
        raise UnverifiedWebhook(str(error) or type(error).__name__) from None
