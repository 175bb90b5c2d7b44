"""The balance of an account, where its station can be asked. Asking is free."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from generation.contract.call import Call
from generation.contract.errors import UnrecognizedReply
from generation.contract.reply import Reply

#: No account holds more; a larger figure means "without limit" or nothing.
MOST = 1e15


@dataclass(frozen=True, slots=True)
class Balance:
    """What a station says is left."""

    left: float
    #: What it is counted in, in the station's words: `USD`, `credits`.
    unit: str
    #: False where there may be money that the figure does not include: then none left proves
    #: nothing.
    is_all: bool = True


class BalanceQuery(Protocol):
    """How a dialect asks. Pure, and total as the parsers of an operation."""

    def build(self, now: datetime) -> Sequence[Call]:
        """The calls to make, one after the other."""
        ...

    def parse(self, replies: Sequence[Reply]) -> Balance:
        """What their answers say, in the same order. Raises `UnrecognizedReply`."""
        ...


class RelayBilling:
    """The two billing queries of OpenAI's old API, which one-api and new-api answer for a key.

    One returns what was granted, in dollars, the other what was used, in cents. An operator may use
    another currency, and one-api gives some keys the remaining amount as the granted one. So a
    negative figure says nothing.
    """

    def build(self, now: datetime) -> Sequence[Call]:
        del now  # relays ignore the dates that may be given
        root = "/v1/dashboard/billing"
        return [Call("GET", f"{root}/{page}", rooted=True) for page in ("subscription", "usage")]

    def parse(self, replies: Sequence[Reply]) -> Balance:
        subscription, usage = replies
        left = figure(subscription, "hard_limit_usd") - figure(usage, "total_usage") / 100
        if left < 0:
            raise UnrecognizedReply(f"the relay says that {left:g} is left, which cannot be")
        return Balance(left, "USD")


RELAY_BILLING = RelayBilling()


def figure(reply: Reply, name: str) -> float:
    """This number of the answer. Raises `UnrecognizedReply` where there is none."""
    value = number(reply.object().get(name)) if reply.status == 200 else None
    if value is None:
        raise UnrecognizedReply(
            f"no {name} in the answer: {reply.excerpt()}", upstream_status=reply.status
        )
    return value


def number(value: Any) -> float | None:
    """A number an account may hold; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST:
        return None
    return float(value) if math.isfinite(value) else None


def objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a JSON list; none for anything else."""
    entries = cast(list[Any], value) if isinstance(value, list) else []
    return [cast(Mapping[str, Any], entry) for entry in entries if isinstance(entry, dict)]
