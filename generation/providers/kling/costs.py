"""What is left of a Kling account's resource packs: `GET /account/costs`, once a second at most."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from generation.contract.call import Call
from generation.contract.errors import UnrecognizedReply
from generation.contract.reply import Reply
from generation.providers.kit.balance import Balance, number, objects
from generation.providers.kit.json_reader import mapping

#: Packs bought earlier are not listed; none is known to last for longer.
LOOK_BACK = timedelta(days=365)


class Costs:
    """The units of all packs that can be used now.

    The figure is up to twelve hours late, and knows nothing of accounts that are billed afterwards;
    so it is never all there is.
    """

    def build(self, now: datetime) -> Sequence[Call]:
        times = {"start_time": now - LOOK_BACK, "end_time": now}
        params = {name: str(int(moment.timestamp() * 1000)) for name, moment in times.items()}
        return [Call("GET", "/account/costs", params=params)]

    def parse(self, replies: Sequence[Reply]) -> Balance:
        (reply,) = replies
        packs = objects(mapping(reply.object().get("data")).get("resource_pack_subscribe_infos"))
        usable = [pack for pack in packs if pack.get("status") == "online"]
        left = [number(pack.get("remaining_quantity")) for pack in usable]
        if not packs or None in left:
            raise UnrecognizedReply(
                f"no resource packs in the answer: {reply.excerpt()}", upstream_status=reply.status
            )
        return Balance(sum(units or 0.0 for units in left), "units", is_all=False)
