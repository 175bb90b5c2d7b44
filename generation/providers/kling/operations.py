"""
Kling's orders, one row each, in the dialects that speak the vendor's first API (v1).

v1 has no batch query. Its list of tasks could serve as one only where the tasks that run are among
the first 500, and its order is not documented: a list that never shows them would cost one large
answer on top of every single look. An account runs few tasks at a time and looks are free, so each
task is looked at by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from generation.operation import Call, Durations, Operation, Order, Pace, Reply, Task
from generation.providers.kling.reply import read_find, read_query, read_submit
from generation.providers.kling.request import KlingRequest, Text2Video
from generation.status import AssetType, Status, SubmitAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An order as the vendor's first API offers it: POST the path, then GET the path and the id."""

    name: str
    summary: str
    path: str
    request: type[KlingRequest]
    example: Mapping[str, Any]
    #: Seconds until half of the tasks are done. When one in ten and nine in ten are is estimated.
    typical_seconds: float
    medium: AssetType = AssetType.VIDEO

    def pace(self) -> Pace:
        typical = timedelta(seconds=self.typical_seconds)
        return Pace(
            durations=Durations(early=typical * 0.4, typical=typical, late=typical * 2.5),
            floor=timedelta(seconds=5),
            ceiling=timedelta(seconds=15),
            deadline=timedelta(minutes=60),
        )


ENDPOINTS = (
    Endpoint(
        name="text2video",
        summary="A video from a prompt.",
        path="/v1/videos/text2video",
        request=Text2Video,
        example={
            "model_name": "kling-v2-6",
            "prompt": "A paper boat sails down a rainy street, close to the water",
            "mode": "pro",
            "duration": "5",
            "aspect_ratio": "16:9",
        },
        typical_seconds=319,
    ),
)

#: The vendor itself, and stations that pass its API on as it is.
V1_DIALECTS = ("kling.v1", "kling.relay")


class KlingV1(Operation[KlingRequest]):
    """One endpoint in one of the dialects that keep the vendor's paths and bodies."""

    provider = "kling"

    def __init__(self, dialect: str, endpoint: Endpoint) -> None:
        self.dialect = dialect
        self.name = endpoint.name
        self.summary = endpoint.summary
        self.request = endpoint.request
        self.example = endpoint.example
        self.pace = endpoint.pace()
        self._path = endpoint.path
        self._medium = endpoint.medium

    def build_submit(self, request: KlingRequest, order: Order) -> Call:
        """Carries our job id as `external_task_id`, by which a lost task can be found."""
        body = request.model_dump(mode="json", exclude_none=True)
        body["external_task_id"] = order.job_id
        if order.callback_url:
            body["callback_url"] = order.callback_url
        return Call("POST", self._path, body)

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        return read_submit(reply, self._medium)

    def build_query(self, task: Task) -> Call:
        return self._get(task.upstream_id)

    def parse_query(self, reply: Reply) -> Status:
        return read_query(reply, self._medium)

    def build_find(self, order: Order) -> Call:
        return self._get(order.job_id)

    def parse_find(self, reply: Reply, order: Order) -> str | None:
        return read_find(reply, order)

    def _get(self, reference: str) -> Call:
        """The vendor takes its own id and ours alike."""
        return Call("GET", f"{self._path}/{quote(reference, safe='')}")


OPERATIONS = tuple(KlingV1(dialect, endpoint) for dialect in V1_DIALECTS for endpoint in ENDPOINTS)
