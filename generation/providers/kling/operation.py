"""What Kling's dialects have in common: one reader, and requests with our reference."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from generation.contract.errors import InDoubt, Rejected
from generation.contract.operation import Operation, Order
from generation.contract.reply import Reply
from generation.contract.status import Status, SubmitAnswer
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.reply import read_batch, read_find, read_query, read_submit
from generation.providers.kling.requests.fields import KlingRequest

#: The vendor refuses a reference that a task of the account has already: this order has been sent.
TAKEN = re.compile(
    r"external_task_id\W.{0,80}(exist|duplicat|unique|already|repeat|重复|已存在)", re.I | re.S
)
#: Looking into a video may take a while; nobody says how long.
SYNCHRONOUS_PATIENCE = timedelta(minutes=3)


class KlingOperation(Operation[KlingRequest]):
    """One endpoint in one dialect."""

    provider = "kling"

    def __init__(self, dialect: str, endpoint: Endpoint) -> None:
        self.dialect = dialect
        self.name = endpoint.name
        self.summary = endpoint.summary
        self.request = endpoint.request
        self.example = endpoint.example
        self.pace = endpoint.pace()
        self.follows = endpoint.follows
        self.needs_parent = endpoint.needs_parent
        self.submit_timeout = None if endpoint.makes_task else SYNCHRONOUS_PATIENCE
        self.endpoint = endpoint

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        try:
            return read_submit(reply, self.endpoint.medium)
        except Rejected as fault:
            if TAKEN.search(fault.message):
                raise InDoubt(f"it was sent before: {fault.message}") from fault
            raise

    def parse_query(self, reply: Reply) -> Status:
        return read_query(reply, self.endpoint.medium)

    def parse_batch_query(self, reply: Reply) -> Mapping[str, Status]:
        return read_batch(reply, self.endpoint.medium)

    def parse_find(self, reply: Reply, order: Order) -> str | None:
        return read_find(reply, order, relayed=True)


def with_reference(body: Mapping[str, Any], order: Order) -> dict[str, Any]:
    """Return the body with our job id as `external_task_id` and with the callback URL.

    A lost task can be found by that id.
    """
    named = {**body, "external_task_id": order.job_id}
    return named | {"callback_url": order.callback_url} if order.callback_url else named
