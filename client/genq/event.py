"""An event: the body of a webhook, an entry of the event feed, a message of a stream."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

from genq.errors import UnverifiedWebhook
from genq.job import Document, Job, parse_job


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. It may arrive more than once, always with the same `id`."""

    #: `evt_…`: store processed ids to detect duplicates. Empty for progress events.
    id: str
    #: Such as `job.succeeded`.
    type: str
    #: 1, 2, 3 … within the job; None if it is not a job event.
    sequence: int | None
    timestamp: datetime
    #: The object of the event; `job` parses it for job events.
    data: Document = field(repr=False)
    #: Position in its stream, for `Client.events(after=…)`; None if it has none.
    cursor: str | None = None

    @property
    def job(self) -> Job:
        """The job at the time of the event. Raises `KeyError` if it is not a job event."""
        return parse_job(self.data)


def parse_event(document: Document, cursor: str | None = None) -> Event:
    """Parse an event document. Raises `KeyError` or `ValueError` if it is not one."""
    return Event(
        id=document.get("id", ""),
        type=document["type"],
        sequence=document.get("sequence"),
        timestamp=datetime.fromisoformat(document["timestamp"]),
        data=document["data"],
        cursor=cursor,
    )


def verify_webhook(body: bytes | str, headers: Mapping[str, str], secret: str) -> Event:
    """Return the event of a webhook, given the raw body, the headers and the secret (`whsec_…`).

    Raises `UnverifiedWebhook` for a wrong signature or a message older than five minutes.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        Webhook(secret).verify(body, lowered)
        return parse_event(json.loads(body))
    except (WebhookVerificationError, ValueError, KeyError, TypeError) as error:
        raise UnverifiedWebhook(str(error) or type(error).__name__) from None
