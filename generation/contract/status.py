"""What an upstream says about a task.

Status is theirs, state is ours: `generation.lifecycle` turns the one into the other. Everything
here is a value; nothing here knows a socket, a clock or a store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from generation.contract.call import Call
from generation.contract.errors import ErrorCode


class AssetType(StrEnum):
    """The medium of an asset."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One finished file, by URL."""

    type: AssetType
    url: str
    #: What this file is among the job's assets: `result`, `grid`, `single`, `cover`, `watermarked`
    #: …
    role: str = "result"
    #: The upstream's own id of the file, where follow-ups need it (Kling video id, Suno clip id).
    upstream_id: str | None = None
    #: Play time in seconds.
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    #: When the URL stops working, where the upstream says so or the URL itself does.
    expires_at: datetime | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A follow-up the upstream offers on a finished task (a Midjourney button)."""

    #: What a caller names: `U1`, `Vary (Strong)`, `🔄`.
    label: str
    #: What the upstream wants to hear, copied verbatim from its reply.
    custom_id: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The submit was taken and a task exists. `details` is what later calls need beside the id."""

    upstream_id: str
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: How many tasks are ahead, where the upstream says so.
    queue_position: int | None = None
    #: The upstream says that it had this task before, and has made none for this order.
    existed: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """The task exists and has not ended."""

    #: 0 to 100, or None where the upstream does not say.
    progress: int | None = None
    #: True while the task waits for its turn upstream.
    queued: bool = False
    #: A status word we do not know, in the upstream's spelling: keep looking, say so once.
    unknown_word: str | None = None
    #: The result of a task that calls itself done while something better may follow (a live stream
    #: before its file): what it ends with where nothing has followed within the grace.
    so_far: "Succeeded | None" = None


@dataclass(frozen=True, slots=True)
class AwaitingInput:
    """The task waits for a second message from the caller (Midjourney's modal)."""

    upstream_id: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task ended well. At least one asset or text is there; parsers make sure of it."""

    assets: tuple[Asset, ...] = ()
    texts: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    #: Facts worth keeping (seed, title, billing units); JSON values only.
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: Set where the answer came in the submit itself and the upstream named the task.
    upstream_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The upstream accepted the task and ended it without a result."""

    message: str
    code: ErrorCode = ErrorCode.UPSTREAM_FAILED
    #: True where a new task with the same request may well succeed.
    retryable: bool = False
    upstream_code: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One more exchange is needed; its reply goes to the same parser."""

    call: Call


Status = Running | AwaitingInput | Succeeded | Failed | Ask
SubmitAnswer = Accepted | Running | AwaitingInput | Succeeded | Failed | Ask
