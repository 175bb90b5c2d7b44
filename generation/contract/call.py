"""A request to an upstream."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, relative to the station's root."""

    method: str
    #: Begins with `/`, and the station's base URL and prefix come before it; or a whole URL that
    #: the upstream gave, which is asked only where it leads to the station's own domain.
    path: str
    json: Mapping[str, Any] | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    #: True for what the station itself answers, whatever it sells: no prefix comes before the path.
    rooted: bool = False
    #: What is asked instead where `path` is a URL outside the station's own domain: the key is sent
    #: to no other. None where there is no other way to ask.
    otherwise: "Call | None" = None
