"""Stations of the new-api family that rebuild requests and keep books of their own.

They know tasks by their own ids only, so our reference finds nothing, though it reaches the vendor.
Their books follow the vendor's every 15 seconds at best.
"""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

from generation.contract.call import Call
from generation.contract.operation import Order, Task
from generation.providers.kling.endpoints import video
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.operation import KlingOperation, with_reference
from generation.providers.kling.requests.fields import KlingRequest
from generation.providers.kling.requests.newapi import NewApiImage2Video, NewApiText2Video

_REQUESTS: dict[str, type[KlingRequest]] = {
    "text2video": NewApiText2Video,
    "image2video": NewApiImage2Video,
}

ENDPOINTS = tuple(
    replace(endpoint, request=_REQUESTS[endpoint.name])
    for endpoint in video.ENDPOINTS
    if endpoint.name in _REQUESTS
)


class KlingNewApi(KlingOperation):
    """One of the two orders such a station knows."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__("kling.newapi", endpoint)
        self.pace = replace(self.pace, floor=timedelta(seconds=15), ceiling=timedelta(seconds=30))

    def build_submit(self, request: KlingRequest, order: Order) -> Call:
        return Call("POST", self.endpoint.path, with_reference(request.wire(order.parent), order))

    def build_query(self, task: Task) -> Call:
        return Call("GET", f"{self.endpoint.path}/{quote(task.upstream_id, safe='')}")
