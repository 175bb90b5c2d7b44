"""How an order is spoken in a dialect: the call that makes it, and the call that looks at it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from generation.contract.call import Call
from generation.contract.operation import Order, Task

Body = dict[str, Any]
#: Takes the request that its order declares.
Write = Callable[[Any, Order], Body]


@dataclass(frozen=True, slots=True)
class Way:
    """One order in one dialect. `make` raises `Rejected` where the order cannot be spoken."""

    make: Callable[[Any, Order], Call]
    look: Callable[[Task], Call]
    #: True where the submit is a question that creates nothing, and may be asked again.
    is_question: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way of speaking, and the orders that can be spoken in it."""

    name: str
    #: Its books change no faster than this.
    refresh: timedelta
    ways: Mapping[str, Way]
    #: How many tasks one `POST /fetch` may name; 0 where there is no such call.
    batch_limit: int = 0


def post(path: str, write: Write, hook: str = "") -> Callable[[Any, Order], Call]:
    """A submit by POST. `hook` is the field for our callback URL, where the dialect has one."""

    def make(request: Any, order: Order) -> Call:
        body = write(request, order)
        if hook and order.callback_url:
            body = body | {hook: order.callback_url}
        return Call("POST", path, body)

    return make


def get(path: str, name: Callable[[Any, Order], str]) -> Callable[[Any, Order], Call]:
    """A question about something named in the path, which is all the submit there is."""
    return lambda request, order: Call("GET", f"{path}/{quote(name(request, order), safe='')}")


def look(path: str) -> Callable[[Task], Call]:
    """A look at `path` and the task's id, which may be several ids with commas between them."""
    return lambda task: Call("GET", f"{path}/{quote(task.upstream_id, safe=',')}")
