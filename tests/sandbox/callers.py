"""Those who ask the station: each protocol and each face of it, behind one interface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Caller:
    """One way to submit a prompt, to look at its task, and to read what is said of it."""

    name: str
    headers: Mapping[str, str]
    path: str
    reference: str
    look_path: Callable[[str], str]
    id_of: Callable[[Any], str]
    status_of: Callable[[Any], str]

    def submit(
        self, client: httpx.Client, prompt: str, reference: str | None = None, **more: Any
    ) -> httpx.Response:
        """The answer to one submit."""
        named = {} if reference is None else {self.reference: reference}
        body = {"prompt": prompt, **named, **more}
        return client.post(self.path, json=body, headers=self.headers)

    def look(self, client: httpx.Client, task_id: str) -> httpx.Response:
        """The answer to one look."""
        return client.get(self.look_path(task_id), headers=self.headers)

    def created(self, client: httpx.Client, prompt: str, reference: str | None = None) -> str:
        """The id of a task that must be accepted."""
        return self.id_of(self.submit(client, prompt, reference).raise_for_status().json())

    def status(self, client: httpx.Client, task_id: str) -> str:
        """The status word of a task that must be found."""
        return self.status_of(self.look(client, task_id).raise_for_status().json())


def _midjourney(name: str, headers: Mapping[str, str]) -> Caller:
    return Caller(
        name=name,
        headers=headers,
        path="/mj/submit/imagine",
        reference="state",
        look_path=lambda task_id: f"/mj/task/{task_id}/fetch",
        id_of=lambda answer: str(answer["result"]),
        status_of=lambda task: str(task["status"]),
    )


def _kling(name: str, root: str, headers: Mapping[str, str]) -> Caller:
    path = f"{root}/v1/videos/text2video"
    return Caller(
        name=name,
        headers=headers,
        path=path,
        reference="external_task_id",
        look_path=lambda task_id: f"{path}/{task_id}",
        id_of=lambda answer: str(answer["data"]["task_id"]),
        status_of=lambda answer: str(answer["data"]["task_status"]),
    )


BEARER = {"authorization": "Bearer sk-tests"}
MJ_STATION = _midjourney("mj station", BEARER)
MJ_DIRECT = _midjourney("mj direct", {"mj-api-secret": "secret"})
KLING = _kling("kling", "", BEARER)
KLING_RELAY = _kling("kling relay", "/kling", BEARER)
CALLERS = (MJ_STATION, MJ_DIRECT, KLING, KLING_RELAY)
