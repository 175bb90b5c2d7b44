"""An order as the vendor's first API offers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from generation.contract.status import AssetType
from generation.polling.pace import Pace, UsualDurations
from generation.providers.kling.answers import Reader
from generation.providers.kling.requests.fields import KlingRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """POST the path to submit, GET the path and the id to look."""

    name: str
    summary: str
    path: str
    request: type[KlingRequest]
    example: Mapping[str, Any]
    #: Seconds until half of the tasks are done. When one in ten and nine in ten are is estimated.
    typical_seconds: float
    medium: AssetType = AssetType.VIDEO
    follows: frozenset[str] = frozenset()
    needs_parent: bool = False
    #: False where the answer is the result: then it takes no reference of ours, and no callback.
    makes_task: bool = True
    #: How the result is read where it is no task's.
    reader: Reader | None = None
    #: True where being taken is all that can happen, and nothing can be asked afterwards.
    done_when_taken: bool = False
    method: Literal["POST", "GET"] = "POST"
    #: Stations that pass the API on are known to have it.
    relayed: bool = False

    def pace(self) -> Pace:
        """Looks are free, and the vendor's own clients look every 5 to 16 seconds."""
        typical = timedelta(seconds=self.typical_seconds)
        return Pace(
            durations=UsualDurations(early=typical * 0.4, typical=typical, late=typical * 2.5),
            floor=timedelta(seconds=5),
            ceiling=timedelta(seconds=15),
            deadline=timedelta(minutes=60 if self.makes_task else 15),
        )
