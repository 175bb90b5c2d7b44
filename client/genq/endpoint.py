"""A webhook endpoint: a URL that receives events of all jobs of a tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genq.job import Document


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL and the events it receives."""

    id: str
    url: str
    description: str
    #: Such as `job.succeeded`.
    events: tuple[str, ...]
    #: Only jobs whose `metadata` contains all of these.
    metadata: Mapping[str, str]
    enabled: bool
    #: Empty while it is enabled.
    disabled_reason: str
    #: `whsec_…`, for `verify_webhook`; only set by `create` and `rotate_secret`.
    secret: str | None = field(repr=False)
    #: The whole API document.
    document: Document = field(repr=False)


def parse_endpoint(document: Document) -> Endpoint:
    """Parse an endpoint document. Raises `KeyError` if it is not one."""
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
