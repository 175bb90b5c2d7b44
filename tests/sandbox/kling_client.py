"""Kling's operations as genq knows them, asked of the sandbox over real HTTP."""

from typing import Any

import httpx

from generation.contract.call import Call
from generation.contract.operation import Operation, Order, Parent, Task, Unlisted
from generation.contract.reply import Reply
from generation.contract.status import Accepted, Status, SubmitAnswer, Succeeded
from generation.providers import find
from tests.sandbox.callers import BEARER

#: Where the sandbox has each dialect.
PREFIXES = {
    "kling.v1": "",
    "kling.relay": "/kling",
    "kling.v2": "",
    "kling.newapi": "/newapi/kling",
}


def operation(name: str, dialect: str) -> Operation[Any]:
    found = find("kling", name, dialect)
    assert found is not None, f"{dialect} has no {name}"
    return found


class Customer:
    """Somebody who orders from the sandbox."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def send(self, spoken: Operation[Any], call: Call) -> Reply:
        answer = self._client.request(
            call.method,
            PREFIXES[spoken.dialect] + call.path,
            json=call.json,
            params=dict(call.params) or None,
            headers=BEARER,
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, answer.content, headers)

    def submit(
        self,
        spoken: Operation[Any],
        fields: Any,
        job_id: str = "job-1",
        parent: Parent | None = None,
    ) -> SubmitAnswer:
        request = spoken.request.model_validate(fields)
        call = spoken.build_submit(request, Order(job_id, parent=parent))
        return spoken.parse_submit(self.send(spoken, call))

    def look(self, spoken: Operation[Any], upstream_id: str) -> Status:
        return spoken.parse_query(self.send(spoken, spoken.build_query(Task(upstream_id))))

    def find(self, spoken: Operation[Any], job_id: str) -> str | None:
        order = Order(job_id)
        call = spoken.build_find(order)
        assert call is not None
        found = spoken.parse_find(self.send(spoken, call), order)
        assert not isinstance(found, Unlisted)
        return found


def followed(name: str, fields: Any, answer: SubmitAnswer | Status) -> Parent:
    """A finished job, as follow-ups see it."""
    assert isinstance(answer, Succeeded)
    return Parent(name, answer.upstream_id or "task-1", {}, fields, answer)


def accepted(answer: SubmitAnswer) -> str:
    assert isinstance(answer, Accepted), answer
    return answer.upstream_id
