"""
A webhook endpoint: who is told of all jobs of a tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genq.job import Document


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go, and which."""

    id: str
    url: str
    description: str
    #: As in `job.succeeded`.
    events: tuple[str, ...]
    #: Only of jobs whose `metadata` has all of these.
    metadata: Mapping[str, str]
    enabled: bool
    #: In words; empty while it is enabled.
    disabled_reason: str
    #: `whsec_…`, for `verify_webhook`: known right after `create` and `rotate_secret`, and never
    #: told again.
    secret: str | None = field(repr=False)
    #: The whole document of the API.
    document: Document = field(repr=False)


def parse_endpoint(document: Document) -> Endpoint:
    """Raises `KeyError` for what is no endpoint of genq's."""
    return Endpoint(
        id=document["id"],
        url=document["url"],
        description=document["description"],
        events=tuple(document["events"]),
        metadata=document["metadata"],
        enabled=document["enabled"],
        disabled_reason=document["disabled_reason"] or "",
        secret=document.get("secret"),
        document=document,
    )
