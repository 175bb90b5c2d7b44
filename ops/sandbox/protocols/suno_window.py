"""One way of speaking of Suno: how an order becomes a task, and how a task is found again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import desk
from ops.sandbox.dialect import Refusal
from ops.sandbox.doors import Door
from ops.sandbox.knobs import parse_knobs
from ops.sandbox.links import base_url
from ops.sandbox.protocols.suno_faces import SunoFace
from ops.sandbox.protocols.suno_orders import complaint, prompt_of
from ops.sandbox.protocols.suno_songs import SONG_SECONDS, new_task_id, task_id_of
from ops.sandbox.replies import read_object, text_of
from ops.sandbox.station import Station
from ops.sandbox.tasks import Order, Phase, Trade, UpstreamTask, View

EXAMPLE_TASK = "5a9d0000-0000-4000-8000-000000000010"

#: Which order a body is.
Named = Callable[[Mapping[str, Any]], str]


def tell(task: UpstreamTask, seen: View) -> Mapping[str, object]:
    """A callback's body, as the face which took the submit words it."""
    face: SunoFace = task.order.details["face"]
    return face.tell(task, seen)


TRADE = Trade(
    provider="suno",
    typical_seconds={
        **dict.fromkeys(
            ("music", "extend", "concat", "cover", "infill", "persona_music", "stems"), 100.0
        ),
        "lyrics": 6.0,
        **dict.fromkeys(("upload", "wav", "mp4"), 30.0),
    },
    queues=False,
    unique_references=False,
    asset_life_seconds=365 * 24 * 3600.0,
    tell=tell,
)


class Window:
    """What all ways of speaking have in common."""

    def __init__(self, station: Station, face: SunoFace) -> None:
        self.station = station
        self.face = face

    def order_door(self, path: str, named: Named) -> Door:
        """The door where something is ordered."""

        async def create(request: Request) -> Response:
            return await self.create(request, named)

        return Door(path, create, methods=["POST"])

    async def create(self, request: Request, named: Named) -> Response:
        account = self.face.enter(request.headers, self.station.config, submits=True)
        if isinstance(account, Response):
            return desk.turn_away(self.station, account)
        body = await read_object(request)
        if body is None:
            return self._refuse("unexpected end of JSON input")
        operation = named(body)

        def is_finished(name: str) -> bool:
            return self.finished(request, name, account) is not None

        if wrong := self.complaint(operation, body, is_finished):
            return self._refuse(wrong)
        order = self.order(request, account, operation, body)
        return await desk.submit(self.station, self.face, order)

    def complaint(
        self, operation: str, body: Mapping[str, Any], is_finished: Callable[[str], bool]
    ) -> str:
        """What is wrong with a body; "" where nothing is."""
        return complaint(operation, body, is_finished, by_task=self.face.by_task)

    def order(self, request: Request, account: str, operation: str, body: dict[str, Any]) -> Order:
        prompt = prompt_of(body)
        return Order(
            trade=TRADE,
            task_id=new_task_id(),
            operation=operation,
            account=account,
            prompt=prompt,
            knobs=parse_knobs(prompt),
            reference="",
            base_url=base_url(self.station, request),
            callback_url=text_of(body, self.face.hook) if self.face.hook else "",
            details={"face": self.face, "request": body, "seconds": SONG_SECONDS, "asked": {}},
        )

    def find(self, request: Request, name: str, account: str) -> UpstreamTask | None:
        """The task that a task's or a song's id leads to, if it is this account's."""
        task_id = task_id_of(name)
        task = self.station.board.get(task_id)
        if task_id == EXAMPLE_TASK:
            return task or self._example(request)
        if task is None or task.order.trade is not TRADE:
            return None
        return task if task.order.account == account else None

    def finished(self, request: Request, name: str, account: str) -> UpstreamTask | None:
        """The same, where it ended well."""
        task = self.find(request, name, account)
        ended = task is not None and self.station.view(task).phase is Phase.SUCCEEDED
        return task if ended else None

    async def look(self, request: Request, name: str, face: SunoFace) -> Response:
        account = face.enter(request.headers, self.station.config, submits=False)
        if isinstance(account, Response):
            return account
        return await desk.look(self.station, face, self.find(request, name, account))

    def _refuse(self, message: str) -> Response:
        return desk.refuse(self.station, Refusal.INVALID, self.face.invalid(message))

    def _example(self, request: Request) -> UpstreamTask:
        """Two songs that were finished before anybody asked, and that nobody paid."""
        order = self.order(request, "", "music", {"prompt": "an example", "title": "Example"})
        now = self.station.clock.now()
        task = UpstreamTask(replace(order, task_id=EXAMPLE_TASK), now, 0.0)
        task.end(now)
        self.station.board.add(task, now, self.station.config.tasks_kept)
        return task
