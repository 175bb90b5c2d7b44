"""What every request to Midjourney has in common, and how it becomes a body.

Fields have the names of our API; on the wire they are camelCase. Unknown values go upstream: which
bots, modes and prompt parameters exist is for the proxy to judge.
"""

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AliasGenerator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.request import Part, Request

BotType = Annotated[
    str | None,
    Field(min_length=1, description="`MID_JOURNEY` (the default upstream) or `NIJI_JOURNEY`."),
]

ParentTask = Annotated[
    str | None,
    Field(
        min_length=1,
        description="The upstream's id of the task to follow, where genq has no job for it; the"
        " station must be the one that has the task.",
    ),
]


class MidjourneyRequest(Request):
    """A request that knows its body."""

    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel))

    def wire(self, exclude: Collection[str] = ()) -> dict[str, Any]:
        """The fields as a proxy reads them; what the caller left out is left out."""
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={*exclude})
        return {name: value for name, value in body.items() if value not in ({}, [])}

    def body(self, parent: Parent | None) -> dict[str, Any]:
        """The submit's body. Raises `Rejected` where request and parent make no order together."""
        del parent
        return self.wire()


class AccountFilter(Part):
    """Which Midjourney account may run the task. Few stations pass it on."""

    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel))

    # An empty id is no wildcard upstream: it can mean "no such account".
    channel_id: str | None = Field(None, min_length=1)
    instance_id: str | None = Field(None, min_length=1)
    modes: tuple[str, ...] | None = Field(
        None, min_length=1, description="Allowed speeds, such as `RELAX`, `FAST`, `TURBO`."
    )
    remark: str | None = None
    remix: bool | None = None
    niji_remix: bool | None = None
    remix_auto_considered: bool | None = None


class Submit(MidjourneyRequest):
    """A request that makes a task."""

    account_filter: AccountFilter | None = Field(
        None, description="Which Midjourney account may run the task; few stations pass it on."
    )


def followed(upstream_id: str | None, parent: Parent | None) -> str:
    """The task to follow: the parent's, or the one named. Raises `Rejected` where it is unclear."""
    if parent is None and upstream_id is None:
        raise Rejected("nothing to follow: name a finished job as the parent, or its upstream_id")
    if parent is not None and upstream_id not in (None, parent.upstream_id):
        raise Rejected(f"upstream_id {upstream_id} is not the parent's: give one of the two")
    return parent.upstream_id if parent else str(upstream_id)
