"""A Flux operation as the vendor and its resellers offer it.

Each is one row in `picture_models`, `edit_models` or `models`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from generation.contract.status import AssetType
from generation.polling.pace import Pace, UsualDurations
from generation.providers.flux.request import FluxRequest
from generation.providers.flux.resellers import Fal, Replicate

#: What nearly every model of the resellers calls as the vendor does.
COMMON = ("prompt", "seed", "safety_tolerance", "output_format")
#: What fal calls the steps and the guidance.
TUNED = {"steps": "num_inference_steps", "guidance": "guidance_scale"}

#: A red square and a white one of 64 pixels, for examples of orders that take a picture.
RED = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAS0lEQVR42u3PQQkAAAgAsetfWiP4FgYrsKZeS0BA"
    "QEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEDgsqnc8OJg6Ln3AAAAAElFTkSuQmCC"
)
WHITE = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAKUlEQVR42u3MQREAAAwCIPuX1hD77SAA6VEEAoFA"
    "IBAIBAKBQCAQfA8Gpwvw4qrwDDIAAAAASUVORK5CYII="
)
ROOM = "https://images.example.com/room.jpg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One order, whoever carries it out."""

    name: str
    summary: str
    request: type[FluxRequest]
    example: Mapping[str, Any]
    #: Seconds until half of the tasks are done.
    typical_seconds: float
    #: Its path under `/v1/` at the vendor; None where the vendor does not offer it.
    vendor: str | None = None
    #: What to order instead of a model that the vendor has taken off; resellers may still have it.
    successor: str | None = None
    replicate: Replicate | None = None
    fal: Fal | None = None
    #: Its name at stations that sell it in OpenAI's form; None where its fields do not fit there.
    openai: str | None = None
    medium: AssetType = AssetType.IMAGE

    def pace(self) -> Pace:
        """The vendor's clients look every half second to two; a video waits in long queues."""
        typical = timedelta(seconds=self.typical_seconds)
        video = self.medium is AssetType.VIDEO
        return Pace(
            durations=UsualDurations(early=typical * 0.5, typical=typical, late=typical * 4),
            floor=timedelta(seconds=2 if video else 1),
            ceiling=timedelta(seconds=15 if video else 3),
            deadline=timedelta(minutes=60 if video else 10),
        )
