"""What is left of a Dream Machine account: `GET /credits`, in cents."""

from collections.abc import Sequence
from datetime import datetime

from generation.contract.call import Call
from generation.contract.reply import Reply
from generation.providers.kit.balance import Balance, figure


class Credits:
    """The account's balance."""

    def build(self, now: datetime) -> Sequence[Call]:
        del now
        return [Call("GET", "/credits")]

    def parse(self, replies: Sequence[Reply]) -> Balance:
        return Balance(figure(replies[0], "credit_balance") / 100, "USD")
