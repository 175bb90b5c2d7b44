"""The control endpoints under /_sandbox/: read counts, change settings, move the clock."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, cast

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.config import SandboxConfig
from ops.sandbox.knobs import Knob
from ops.sandbox.protocols import typical_seconds
from ops.sandbox.replies import json_reply, read_object
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import SandboxTask

TASKS_SHOWN = 1000
ENDPOINTS = {
    "GET /_sandbox/": "this page",
    "GET /_sandbox/stats": "every count; ?brief=1 leaves out those per job and per task",
    "GET /_sandbox/tasks": "the newest tasks; ?limit=N",
    "POST /_sandbox/configure": 'change settings at run time: {"speed": 60}',
    "POST /_sandbox/advance": 'jump the sandbox clock ahead: {"seconds": 30}',
    "POST /_sandbox/finish": 'end a task now, the way its knobs say: {"id": "<id or reference>"}',
    "POST /_sandbox/reset": "forget all tasks and counts, and restore the settings of the start",
}


class ControlEndpoints:
    """The endpoints of one station.

    They are for tests and demonstrations: there is no authentication.
    """

    def __init__(self, station: SandboxStation) -> None:
        self._station = station

    def routes(self) -> Sequence[BaseRoute]:
        """Every control route; any other path under /_sandbox/ is a JSON 404."""
        return (
            SandboxRoute("/_sandbox/", self.about),
            SandboxRoute("/_sandbox/stats", self.stats),
            SandboxRoute("/_sandbox/tasks", self.tasks),
            SandboxRoute("/_sandbox/configure", self.configure, methods=["POST"]),
            SandboxRoute("/_sandbox/advance", self.advance, methods=["POST"]),
            SandboxRoute("/_sandbox/finish", self.finish, methods=["POST"]),
            SandboxRoute("/_sandbox/reset", self.reset, methods=["POST"]),
        )

    async def about(self, request: Request) -> Response:
        return json_reply(
            {
                "what": "genq sandbox station: upstream protocols without an upstream",
                "operations": typical_seconds(),
                "knobs": {knob.usage: knob.meaning for knob in Knob},
                "control": ENDPOINTS,
                "time": self._station.clock.now(),
                "settings": self._station.config.public(),
            }
        )

    async def stats(self, request: Request) -> Response:
        ledger, task_store = self._station.ledger, self._station.task_store
        totals = {"tasks": len(task_store), **ledger.totals()}
        if request.query_params.get("brief"):
            return json_reply(totals)
        looks = {task.id: task.looks for task in task_store.newest() if task.looks}
        return json_reply(
            {**totals, "paid_by_reference": ledger.references, "looks_by_task": looks}
        )

    async def tasks(self, request: Request) -> Response:
        limit = request.query_params.get("limit", str(TASKS_SHOWN))
        if not (limit.isascii() and limit.isdigit()):
            return _bad("limit must be a whole number")
        newest = islice(self._station.task_store.newest(), int(limit))
        return json_reply({"tasks": [self._shown(task) for task in newest]})

    async def configure(self, request: Request) -> Response:
        changes = await read_object(request)
        if changes is None:
            return _bad("send the settings to change as a JSON object")
        unknown = _unknown_names(changes)
        if unknown:
            return _bad("not a setting", dict.fromkeys(unknown, "there is no such name"))
        try:
            self._station.configure(changes)
        except ValidationError as error:
            faults = {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
            return _bad("not a setting", faults)
        return json_reply({"settings": self._station.config.public()})

    async def advance(self, request: Request) -> Response:
        body = await read_object(request)
        seconds = None if body is None else body.get("seconds")
        if not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            return _bad('send {"seconds": n} with n of 0 or more')
        self._station.clock.advance(seconds)
        return json_reply({"time": self._station.clock.now()})

    async def finish(self, request: Request) -> Response:
        body = await read_object(request)
        name = "" if body is None else str(body.get("id", ""))
        task = self._station.task_store.search(name) if name else None
        if task is None:
            return json_reply({"error": 'no such task: send {"id": its id or its reference}'}, 404)
        if not task.has_ended(self._station.clock.now()):
            self._station.end(task)
        return json_reply(self._shown(task))

    async def reset(self, request: Request) -> Response:
        self._station.reset()
        return json_reply({"settings": self._station.config.public()})

    def _shown(self, task: SandboxTask) -> dict[str, object]:
        seen = self._station.view(task)
        return {
            "id": task.id,
            "provider": task.submission.profile.provider,
            "operation": task.submission.operation,
            "reference": task.submission.reference,
            "prompt": task.submission.prompt,
            "phase": seen.phase,
            "progress": seen.progress,
            "looks": task.looks,
            "created_at": task.created_at,
            "started_at": seen.started_at,
            "finished_at": seen.finished_at,
        }


def _unknown_names(changes: dict[str, Any]) -> list[str]:
    """The settings, and the operations within `durations`, that do not exist."""
    unknown = [name for name in changes if name not in SandboxConfig.model_fields]
    durations = changes.get("durations")
    operations = cast("dict[str, Any]", durations) if isinstance(durations, dict) else {}
    return unknown + [f"durations.{name}" for name in operations if name not in typical_seconds()]


def _bad(error: str, fields: dict[str, str] | None = None) -> Response:
    body = {"error": error} if fields is None else {"error": error, "fields": fields}
    return json_reply(body, 400)
