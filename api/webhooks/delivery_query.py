"""
Lists of deliveries: what a query may say, and the cursor to go on with.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request

from api.events.query import given_once, read_moment
from api.http.query_params import read_limit, unusable
from api.jobs.list_query import JOB_ID
from api.webhooks.endpoints import ENDPOINT_ID
from generation.events import FEED_EVENTS
from generation.store.webhooks.delivery_log import LogFilters
from generation.webhooks.delivery import DeliveryState

PARAMETERS = (
    *("state", "endpoint", "job", "type", "created_after", "created_before", "limit", "cursor"),
)
DELIVERY_ID = re.compile(r"dlv_[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """A page of a list: which deliveries, how many, and after which."""

    filters: LogFilters
    limit: int
    before: str | None
    #: As it was asked for, for the address of the next page.
    given: tuple[tuple[str, str], ...]

    def next_url(self, base: str, last_id: str) -> str:
        kept = [(name, value) for name, value in self.given if name != "cursor"]
        return f"{base}?{urlencode([*kept, ('cursor', cursor_of(last_id))])}"


def read_delivery_query(request: Request) -> DeliveryQuery:
    """Raises `Problem` (400) that names the parameter and what it may be."""
    given = given_once(request, PARAMETERS)
    return DeliveryQuery(
        filters=LogFilters(
            state=read_state(given.get("state")),
            endpoint_id=read_id(given.get("endpoint"), ENDPOINT_ID, "endpoint"),
            job_id=read_id(given.get("job"), JOB_ID, "job"),
            event_type=read_type(given.get("type")),
            created_after=moment(given.get("created_after"), "created_after"),
            created_before=moment(given.get("created_before"), "created_before"),
        ),
        limit=read_limit(given.get("limit")),
        before=read_cursor(given.get("cursor")),
        given=tuple(given.items()),
    )


def read_state(value: str | None) -> DeliveryState | None:
    if value is None:
        return None
    try:
        return DeliveryState(value)
    except ValueError:
        raise unusable(f"state must be one of {', '.join(DeliveryState)}") from None


def read_id(value: str | None, form: re.Pattern[str], name: str) -> str | None:
    if value is not None and not form.fullmatch(value):
        raise unusable(f"{name} must be the id of one")
    return value


def read_type(value: str | None) -> str | None:
    if value is not None and value not in FEED_EVENTS:
        raise unusable(f"type must be one of {', '.join(FEED_EVENTS)}")
    return value


def moment(value: str | None, name: str) -> datetime | None:
    return None if value is None else read_moment(value, name)


def read_cursor(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        found = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        found = ""
    if not DELIVERY_ID.fullmatch(found):
        raise unusable("cursor must be the next_cursor of an earlier page, unchanged")
    return found


def cursor_of(delivery_id: str) -> str:
    return base64.urlsafe_b64encode(delivery_id.encode()).decode().rstrip("=")
