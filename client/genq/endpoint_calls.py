"""
The calls about webhook endpoints and deliveries, as steps.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from genq.calls import JSON
from genq.endpoint import Endpoint, parse_endpoint
from genq.errors import NotGenq
from genq.job import Document
from genq.steps import Reply, Send, Steps, with_retries, without_retries

ENDPOINTS = "/v1/webhook-endpoints"
DELIVERIES = "/v1/webhook-deliveries"

T = TypeVar("T")


def create(url: str, fields: Mapping[str, Any]) -> Steps[Endpoint]:
    """Sent once: a second one would be a second endpoint."""
    body = {"url": url, **fields}
    return read_reply(
        parse_endpoint,
        (yield from without_retries(Send("POST", ENDPOINTS, json=body, headers=JSON))),
    )


def every(patience: float) -> Steps[Sequence[Endpoint]]:
    reply = yield from with_retries(Send("GET", ENDPOINTS), patience)
    return read_reply(lambda document: [parse_endpoint(each) for each in document["data"]], reply)


def get(endpoint_id: str, patience: float) -> Steps[Endpoint]:
    return read_reply(
        parse_endpoint, (yield from with_retries(Send("GET", path(endpoint_id)), patience))
    )


def change(endpoint_id: str, fields: Mapping[str, Any], patience: float) -> Steps[Endpoint]:
    send = Send("PATCH", path(endpoint_id), json=fields, headers=JSON)
    return read_reply(parse_endpoint, (yield from with_retries(send, patience)))


def delete(endpoint_id: str, patience: float) -> Steps[None]:
    yield from with_retries(Send("DELETE", path(endpoint_id)), patience)


def rotate_secret(endpoint_id: str, overlap: str | None) -> Steps[Endpoint]:
    """Sent once: a second one would end what the first one's answer said."""
    params = {} if overlap is None else {"overlap": overlap}
    send = Send("POST", path(endpoint_id, "rotate-secret"), params=params)
    return read_reply(parse_endpoint, (yield from without_retries(send)))


def test(endpoint_id: str) -> Steps[Document]:
    return (yield from without_retries(Send("POST", path(endpoint_id, "test")))).document


def stats(endpoint_id: str, patience: float) -> Steps[Document]:
    return (yield from with_retries(Send("GET", path(endpoint_id, "stats")), patience)).document


def send_again(
    endpoint_id: str, what: str, since: datetime, until: datetime | None, patience: float
) -> Steps[int]:
    """`recover` or `replay`, until nothing is left to be queued; how many were."""
    body = {"since": since.isoformat()} | ({"until": until.isoformat()} if until else {})
    send = Send("POST", path(endpoint_id, what), json=body, headers=JSON)
    return (yield from until_none(send, "queued", patience))


def cancel_pending(endpoint_id: str, patience: float) -> Steps[int]:
    send = Send("POST", path(endpoint_id, "cancel-pending"))
    return (yield from until_none(send, "canceled", patience))


def until_none(send: Send, counted: str, patience: float) -> Steps[int]:
    total, more = 0, True
    while more:
        document = (yield from with_retries(send, patience)).document
        total, more = total + document[counted], document["more"]
    return total


def deliveries(
    filters: Mapping[str, str], patience: float
) -> Steps[tuple[list[Document], str | None]]:
    """One page of deliveries, and the cursor of the next one."""
    reply = yield from with_retries(Send("GET", DELIVERIES, params=filters), patience)
    return reply.document["data"], reply.document["next_cursor"]


def resend(delivery_id: str) -> Steps[Document]:
    send = Send("POST", f"{DELIVERIES}/{quote(delivery_id, safe='')}/resend")
    return (yield from without_retries(send)).document


def path(endpoint_id: str, rest: str = "") -> str:
    return f"{ENDPOINTS}/{quote(endpoint_id, safe='')}" + (f"/{rest}" if rest else "")


def read_reply(what: Callable[[Document], T], reply: Reply) -> T:
    try:
        return what(reply.document)
    except (KeyError, ValueError, TypeError) as error:
        raise NotGenq(f"the answer is not what was asked for: {error!r}") from None
