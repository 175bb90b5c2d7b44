"""The vendor's second API: the model is in the path, and one query covers many tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast
from urllib.parse import quote

from generation.contract.call import Call
from generation.contract.operation import Order, Task
from generation.contract.reply import Reply
from generation.providers.kling.endpoints import video
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.endpoints.examples import PICTURE
from generation.providers.kling.operation import KlingOperation, with_reference
from generation.providers.kling.reply import read_find
from generation.providers.kling.requests.fields import KlingRequest
from generation.providers.kling.requests.second import (
    SecondImage2Video,
    SecondRequest,
    SecondText2Video,
)

#: The vendor states no limit; this many ids make a URL that every proxy takes.
BATCH_LIMIT = 100


_FIRST: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in video.ENDPOINTS}

ENDPOINTS = (
    replace(
        _FIRST["text2video"],
        path="/text-to-video",
        request=SecondText2Video,
        example={
            "model_name": "kling-3.0",
            "prompt": "A paper boat sails down a rainy street, close to the water",
            "mode": "pro",
            "duration": "5",
            "aspect_ratio": "16:9",
        },
    ),
    replace(
        _FIRST["image2video"],
        summary="A video that begins with a picture, and may end with another.",
        path="/image-to-video",
        request=SecondImage2Video,
        example={
            "model_name": "kling-3.0",
            "image": PICTURE,
            "prompt": "She turns her head and smiles",
            "mode": "pro",
            "duration": "5",
        },
    ),
)


class KlingV2(KlingOperation):
    """One of its two orders."""

    batch_limit = BATCH_LIMIT

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__("kling.v2", endpoint)

    def build_submit(self, request: KlingRequest, order: Order) -> Call:
        body = request.wire(order.parent)
        body["options"] = with_reference(body["options"], order)
        model = quote(cast(SecondRequest, request).model_path, safe="")
        return Call("POST", f"{self.endpoint.path}/{model}", body)

    def build_query(self, task: Task) -> Call:
        return _asking("task_ids", [task.upstream_id])

    def build_batch_query(self, upstream_ids: Sequence[str]) -> Call:
        return _asking("task_ids", upstream_ids)

    def build_find(self, order: Order) -> Call:
        return _asking("external_task_ids", [order.job_id])

    def parse_find(self, reply: Reply, order: Order) -> str | None:
        return read_find(reply, order, silence_proves=True)


def _asking(name: str, ids: Sequence[str]) -> Call:
    """Ids are digits; anything else is escaped once more, so that none can pass for two."""
    return Call("GET", "/tasks", params={name: ",".join(quote(each, safe="") for each in ids)})
