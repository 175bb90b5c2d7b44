"""What is left of an account at Black Forest Labs: `GET /v1/credits`."""

from collections.abc import Sequence
from datetime import datetime

from generation.contract.call import Call
from generation.contract.reply import Reply
from generation.providers.kit.balance import Balance, figure


class Credits:
    """The account's balance; a credit is a cent."""

    def build(self, now: datetime) -> Sequence[Call]:
        del now
        return [Call("GET", "/v1/credits")]

    def parse(self, replies: Sequence[Reply]) -> Balance:
        return Balance(figure(replies[0], "credits"), "credits")
