"""The calls for webhook endpoints and deliveries, as steps."""

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
    """Not retried: a second request would create a second endpoint."""
    body = {"url": url, **fields}
    return parse_reply(
        parse_endpoint,
        (yield from without_retries(Send("POST", ENDPOINTS, json=body, headers=JSON))),
    )


def list_endpoints(patience: float) -> Steps[Sequence[Endpoint]]:
    reply = yield from with_retries(Send("GET", ENDPOINTS), patience)
    return parse_reply(lambda document: [parse_endpoint(each) for each in document["data"]], reply)


def get(endpoint_id: str, patience: float) -> Steps[Endpoint]:
    return parse_reply(
        parse_endpoint, (yield from with_retries(Send("GET", path(endpoint_id)), patience))
    )


def change(endpoint_id: str, fields: Mapping[str, Any], patience: float) -> Steps[Endpoint]:
    send = Send("PATCH", path(endpoint_id), json=fields, headers=JSON)
    return parse_reply(parse_endpoint, (yield from with_retries(send, patience)))


def delete(endpoint_id: str, patience: float) -> Steps[None]:
    yield from with_retries(Send("DELETE", path(endpoint_id)), patience)


def rotate_secret(endpoint_id: str, overlap: str | None) -> Steps[Endpoint]:
    """Not retried: a second request would replace the secret of the first response."""
    params = {} if overlap is None else {"overlap": overlap}
    send = Send("POST", path(endpoint_id, "rotate-secret"), params=params)
    return parse_reply(parse_endpoint, (yield from without_retries(send)))


def test(endpoint_id: str) -> Steps[Document]:
    return (yield from without_retries(Send("POST", path(endpoint_id, "test")))).document


def stats(endpoint_id: str, patience: float) -> Steps[Document]:
    return (yield from with_retries(Send("GET", path(endpoint_id, "stats")), patience)).document


def send_again(
    endpoint_id: str, what: str, since: datetime, until: datetime | None, patience: float
) -> Steps[int]:
    """Repeat `recover` or `replay` until nothing is left; return the number of deliveries."""
    body = {"since": since.isoformat()} | ({"until": until.isoformat()} if until else {})
    send = Send("POST", path(endpoint_id, what), json=body, headers=JSON)
    return (yield from repeat_until_done(send, "queued", patience))


def cancel_pending(endpoint_id: str, patience: float) -> Steps[int]:
    send = Send("POST", path(endpoint_id, "cancel-pending"))
    return (yield from repeat_until_done(send, "canceled", patience))


def repeat_until_done(send: Send, counted: str, patience: float) -> Steps[int]:
    total, more = 0, True
    while more:
        document = (yield from with_retries(send, patience)).document
        total, more = total + document[counted], document["more"]
    return total


def deliveries(
    filters: Mapping[str, str], patience: float
) -> Steps[tuple[list[Document], str | None]]:
    """Return one page of deliveries and the cursor of the next page."""
    reply = yield from with_retries(Send("GET", DELIVERIES, params=filters), patience)
    return reply.document["data"], reply.document["next_cursor"]


def resend(delivery_id: str) -> Steps[Document]:
    send = Send("POST", f"{DELIVERIES}/{quote(delivery_id, safe='')}/resend")
    return (yield from without_retries(send)).document


def path(endpoint_id: str, rest: str = "") -> str:
    return f"{ENDPOINTS}/{quote(endpoint_id, safe='')}" + (f"/{rest}" if rest else "")


def parse_reply(what: Callable[[Document], T], reply: Reply) -> T:
    try:
        return what(reply.document)
    except (KeyError, ValueError, TypeError) as error:
        raise NotGenq(f"the response is not what was requested: {error!r}") from None
