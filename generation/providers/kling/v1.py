"""The vendor's first API, spoken by the vendor itself and by stations that pass it on.

It knows no question about named tasks, but it lists an endpoint's tasks, the latest of which are
those that run: its order is not documented, so a list that shows none of the tasks asked about is
not asked for again soon, and what it leaves out is looked at singly. Stations of the new-api family
have no such list.
"""

from collections.abc import Sequence
from urllib.parse import quote

from generation.contract.call import Call
from generation.contract.operation import Order, Task
from generation.contract.reply import Reply
from generation.contract.status import Accepted, SubmitAnswer, Succeeded
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.operation import KlingOperation, with_reference
from generation.providers.kling.reply import read_answer, read_find
from generation.providers.kling.requests.fields import KlingRequest

VENDOR = "kling.v1"
#: Tasks that one look at the list may be about.
BATCH_LIMIT = 100
#: The list shows this many times as many, for some have ended and some are others'.
MARGIN = 4
SMALLEST_PAGE, LARGEST_PAGE = 30, 500


class KlingV1(KlingOperation):
    """One endpoint in one of the dialects that keep the vendor's paths and bodies."""

    def __init__(self, dialect: str, endpoint: Endpoint) -> None:
        super().__init__(dialect, endpoint)
        self.batch_limit = BATCH_LIMIT if dialect == VENDOR and endpoint.makes_task else 0

    @property
    def batch_group(self) -> str:
        """Each endpoint lists its own tasks."""
        return f"{self.dialect}{self.endpoint.path}"

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

    def build_batch_query(self, upstream_ids: Sequence[str]) -> Call | None:
        if not self.batch_limit:
            return None
        size = min(max(MARGIN * len(upstream_ids), SMALLEST_PAGE), LARGEST_PAGE)
        page = {"pageNum": "1", "pageSize": str(size)}
        return Call("GET", self.endpoint.path, params=page)

    def build_find(self, order: Order) -> Call | None:
        return self._get(order.job_id) if self.endpoint.makes_task else None

    def parse_find(self, reply: Reply, order: Order) -> str | None:
        return read_find(reply, order, relayed=self.dialect != VENDOR)

    def _get(self, reference: str) -> Call:
        """The vendor takes its own id and ours alike."""
        return Call("GET", f"{self.endpoint.path}/{quote(reference, safe='')}")
