"""Flux's orders in five dialects.

`flux.bfl` is the vendor. A task lives on one of its clusters, and only the `polling_url` of the
submit's answer leads there. That URL is missing from the answer to a submit with a webhook, so none
is asked for. `flux.relay` is a station that passes the vendor's paths on, and often the vendor's
`polling_url` too, which does not know the station's key: only its own path is asked.
`flux.replicate` and `flux.fal` are the resellers of these names, and `flux.openai` is any station
that sells the models in OpenAI's form and answers with the picture.

None of them takes our job id, so a submit whose answer is lost cannot be found again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Fault, Rejected, UnrecognizedReply
from generation.contract.operation import Operation, Order, Task
from generation.contract.reply import Reply
from generation.contract.status import Status, SubmitAnswer, Succeeded
from generation.providers.flux.addresses import askable
from generation.providers.flux.followups import completed, parents_of
from generation.providers.flux.model import Model
from generation.providers.flux.models import MODELS
from generation.providers.flux.reply import FluxTask, Reader
from generation.providers.flux.request import FluxRequest
from generation.providers.flux.results import VENDOR_LIFE
from generation.providers.kit.media_inputs import content_of


class FluxOperation(Operation[FluxRequest]):
    """One order in one dialect; the dialects differ in their calls."""

    provider = "flux"
    #: How long the dialect's files live after the task's end.
    life: ClassVar[timedelta | None] = None

    def __init__(self, dialect: str, model: Model) -> None:
        self.dialect = dialect
        self.name = model.name
        self.summary = model.summary
        self.request = model.request
        self.example = model.example
        self.pace = model.pace()
        self.follows = parents_of(model.request, model.name)
        self._model = model
        self._reader = self.reader(model)

    def reader(self, model: Model) -> Reader:
        """What reads the dialect's answers."""
        return Reader(model.medium, self.life)

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        return self._reader.submit(reply)

    def parse_query(self, reply: Reply) -> Status:
        return self._reader.query(reply)


class VendorOperation(FluxOperation):
    """An order at the vendor."""

    life = VENDOR_LIFE
    polls_given_urls = True

    def __init__(self, dialect: str, model: Model) -> None:
        super().__init__(dialect, model)
        if model.successor:
            self.retired = f"the vendor no longer makes it; order {model.successor}"

    def build_submit(self, request: FluxRequest, order: Order) -> Call:
        request = completed(request, order.parent)
        body = request.said()
        body |= {name: _bare(body[name]) for name in request.pictures if name in body}
        return Call("POST", f"/v1/{self._path(request)}", body | self._finetune(request))

    def build_query(self, task: Task) -> Call:
        polling_url = askable(task.details.get("polling_url"))
        if not polling_url:
            return self._get_result(task)
        own = self._get_result(task)
        return Call("GET", _with_id(polling_url, task.upstream_id), otherwise=own)

    def _get_result(self, task: Task) -> Call:
        return Call("GET", "/v1/get_result", params={"id": task.upstream_id})

    def _path(self, request: FluxRequest) -> str:
        path = request.model or self._model.vendor or ""
        if self._finetune(request) and not path.endswith("-finetuned"):
            path += "-finetuned"
        return path

    def _finetune(self, request: FluxRequest) -> dict[str, Any]:
        """A finetune has a path and fields of its own."""
        names = ("finetune_id", "finetune_strength")
        said = {name: getattr(request, name, None) for name in names}
        return {name: value for name, value in said.items() if value is not None}


class RelayOperation(VendorOperation):
    """An order at a station that passes the vendor's paths on."""

    life = None
    polls_given_urls = False

    def build_submit(self, request: FluxRequest, order: Order) -> Call:
        call = super().build_submit(request, order)
        if not order.callback_url:
            return call
        return Call(
            call.method, call.path, {**(call.json or {}), "webhook_url": order.callback_url}
        )

    def build_query(self, task: Task) -> Call:
        return self._get_result(task)


class ReplicateOperation(FluxOperation):
    """An order at Replicate, or at a station that passes its paths on."""

    built_to_check = True
    #: Its files are deleted about an hour after the task.
    life = timedelta(hours=1)

    def build_submit(self, request: FluxRequest, order: Order) -> Call:
        assert self._model.replicate is not None
        model, said = self._model.replicate.speak(completed(request, order.parent))
        owned = model if "/" in model else f"black-forest-labs/{model}"
        body: dict[str, Any] = {"input": said}
        if order.callback_url:
            body |= {"webhook": order.callback_url, "webhook_events_filter": ["completed"]}
        return Call("POST", f"/v1/models/{owned}/predictions", body)

    def build_query(self, task: Task) -> Call:
        return Call("GET", f"/v1/predictions/{quote(task.upstream_id, safe='')}")

    def build_cancel(self, task: Task) -> Call | None:
        return Call("POST", f"/v1/predictions/{quote(task.upstream_id, safe='')}/cancel")

    def parse_cancel(self, reply: Reply) -> bool:
        return self._reader.cancel(reply)


@dataclass(frozen=True)
class FalReader(Reader):
    """fal answers in two steps: a status first, and the result at another address."""

    #: The path of the application, without the sub-path of the model.
    application: str = ""

    def _ends_task(self, reply: Reply) -> bool:
        """The address of the result answers for the model: invalid fields, or a broken runner."""
        broken = reply.status >= 500 and "x-fal-error-type" in reply.headers
        return reply.status == 422 or broken

    def _further(self, task: FluxTask) -> Call | Fault | None:
        """The address of the result is in the answer; else it is built from the id there."""
        if task.word.upper() != "COMPLETED":
            return None
        given = super()._further(task)
        path = f"{self.application}/requests/{quote(task.id, safe='')}"
        own = Call("GET", path) if task.id else None
        if isinstance(given, Call):
            return replace(given, otherwise=own)
        return own or UnrecognizedReply("the task is completed, and its answer does not say where")


class FalOperation(FluxOperation):
    """An order in fal's queue."""

    built_to_check = True
    polls_given_urls = True

    def reader(self, model: Model) -> Reader:
        return FalReader(model.medium, application=_application(model))

    def build_submit(self, request: FluxRequest, order: Order) -> Call:
        assert self._model.fal is not None
        model, body = self._model.fal.speak(completed(request, order.parent))
        params = {"fal_webhook": order.callback_url} if order.callback_url else {}
        return Call("POST", f"/{model}", body, params)

    def build_query(self, task: Task) -> Call:
        return self._call("GET", task, "status_url", "/status")

    def build_cancel(self, task: Task) -> Call | None:
        return self._call("PUT", task, "cancel_url", "/cancel")

    def parse_cancel(self, reply: Reply) -> bool:
        return self._reader.cancel(reply)

    def _call(self, method: str, task: Task, name: str, verb: str) -> Call:
        """To the address in the submit's answer; without one, to the application's own path."""
        path = f"{_application(self._model)}/requests/{quote(task.upstream_id, safe='')}{verb}"
        own = Call(method, path)
        given = askable(task.details.get(name))
        return Call(method, given, otherwise=own) if given else own


class OpenAIOperation(FluxOperation):
    """An order at a station that answers the submit with the picture."""

    built_to_check = True
    submit_timeout = timedelta(minutes=4)
    #: All that can be said in OpenAI's form.
    fields: ClassVar[frozenset[str]] = frozenset(
        {"model", "prompt", "width", "height", "aspect_ratio"}
    )

    def __init__(self, dialect: str, model: Model) -> None:
        super().__init__(dialect, model)
        self.follows = frozenset()
        self.example = {name: said for name, said in model.example.items() if name in self.fields}

    def build_submit(self, request: FluxRequest, order: Order) -> Call:
        if lacking := sorted(request.insisted() - self.fields):
            raise Rejected(
                f"{self.dialect} takes no {', '.join(lacking)}: leave it out, or buy this order"
                " elsewhere",
                code=ErrorCode.UNSUPPORTED,
            )
        said = request.said()
        model = request.model or self._model.openai
        body: dict[str, Any] = {"model": model, "prompt": said["prompt"], "n": 1}
        width, height = said.get("width"), said.get("height")
        if bool(width) != bool(height):
            raise Rejected(f"{self.dialect} needs width and height both, or neither")
        if width and height:
            body["size"] = f"{width}x{height}"
        elif shape := said.get("aspect_ratio"):
            body["aspect_ratio"] = shape
        return Call("POST", "/v1/images/generations", body)

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        """The picture itself: nobody could ask about a task here."""
        answer = super().parse_submit(reply)
        if isinstance(answer, Succeeded):
            return answer
        raise UnrecognizedReply(f"the answer has no picture in it: {reply.excerpt()}")

    def build_query(self, task: Task) -> Call:
        raise Rejected(f"{self.dialect} has no tasks, so nothing can be asked about {task}")


def _application(model: Model) -> str:
    """Tasks of fal stand under the first two parts of the model's name."""
    return "/" + "/".join(model.fal.model.split("/")[:2]) if model.fal else ""


def _with_id(url: str, upstream_id: str) -> str:
    """The URL, with the task's id in its query."""
    query = urlsplit(url).query
    if "id" in parse_qs(query):
        return url
    return f"{url}{'&' if query else '?'}{urlencode({'id': upstream_id})}"


def _operations() -> Iterator[FluxOperation]:
    for model in MODELS:
        if model.vendor:
            yield RelayOperation("flux.relay", model)
            yield VendorOperation("flux.bfl", model)
        if model.replicate:
            yield ReplicateOperation("flux.replicate", model)
        if model.fal:
            yield FalOperation("flux.fal", model)
        if model.openai:
            yield OpenAIOperation("flux.openai", model)


OPERATIONS = tuple(_operations())


def _bare(value: Any) -> Any:
    """A picture, or lists of them, with bare base64 in the place of data URIs."""
    if isinstance(value, list):
        return [_bare(each) for each in cast(list[Any], value)]
    if isinstance(value, str) and value.startswith("data:"):
        return content_of(value)[1]
    return value
