"""
The vendor's first API, spoken by the vendor itself and by stations that pass it on.

It has no batch query. Its list of tasks could serve as one only where the tasks that run are among
the first 500, and its order is not documented: a list that never shows them would cost one large
answer on top of every single look. An account runs few tasks at a time and looks are free, so each
task is looked at by itself.
"""

from urllib.parse import quote

from generation.operation import Call, Order, Reply, Task
from generation.providers.kling.operation import KlingOperation, with_reference
from generation.providers.kling.reply import read_answer
from generation.providers.kling.requests.fields import KlingRequest
from generation.status import Accepted, SubmitAnswer, Succeeded


class KlingV1(KlingOperation):
    """One endpoint in one of the dialects that keep the vendor's paths and bodies."""

    def build_submit(self, request: KlingRequest, order: Order) -> Call:
        endpoint, body = self.endpoint, request.wire(order.parent)
        if endpoint.method == "GET":
            return Call("GET", endpoint.path, params=body)
        return Call(
            "POST", endpoint.path, with_reference(body, order) if endpoint.makes_task else body
        )

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        reader = self.endpoint.reader
        if reader is not None and (result := read_answer(reply, reader)) is not None:
            return result
        answer = super().parse_submit(reply)
        if isinstance(answer, Accepted) and self.endpoint.done_when_taken:
            return Succeeded(texts=("deletion accepted",), upstream_id=answer.upstream_id)
        return answer

    def build_query(self, task: Task) -> Call:
        return self._get(task.upstream_id)

    def build_find(self, order: Order) -> Call | None:
        return self._get(order.job_id) if self.endpoint.makes_task else None

    def _get(self, reference: str) -> Call:
        """The vendor takes its own id and ours alike."""
        return Call("GET", f"{self.endpoint.path}/{quote(reference, safe='')}")
