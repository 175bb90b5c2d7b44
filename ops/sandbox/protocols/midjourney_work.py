"""The work of a Midjourney task, and its results."""

from dataclasses import dataclass
from enum import Enum, auto

from ops.sandbox.tasks import SandboxTask


class Makes(Enum):
    """The kind of result; it decides which files and which buttons the task has."""

    GRID = auto()  #: four pictures in one
    PICTURE = auto()
    SWAP = auto()  #: a picture without buttons
    DESCRIPTION = auto()  #: prompts for a picture
    SHORTER = auto()  #: shorter prompts
    PREVIEWS = auto()  #: a moving picture of four videos, to pick one from
    VIDEO = auto()  #: one that was picked, where pictures are shown
    VIDEOS = auto()  #: all of them, in fields of their own


class Wants(Enum):
    """The input that a task waits for before it starts."""

    NOTHING = auto()
    PROMPT = auto()  #: or none, to go on with the prompt it has
    ZOOM = auto()  #: a prompt with `--zoom`
    MASK = auto()


@dataclass(frozen=True, slots=True)
class MidjourneyWork:
    """One task's work."""

    action: str
    makes: Makes
    wants: Wants = Wants.NOTHING
    #: The number of videos.
    count: int = 0


def work_of(task: SandboxTask) -> MidjourneyWork:
    """The work of this task."""
    work: MidjourneyWork = task.submission.details["work"]
    return work


def texts_of(task: SandboxTask) -> tuple[str, ...]:
    """The prompts that a task with texts as its result returns."""
    words = [word for word in task.submission.prompt.split() if not word.startswith("[")]
    match work_of(task).makes:
        case Makes.DESCRIPTION:
            return tuple(
                f"four squares in the manner of {style} --ar 1:1"
                for style in ("a paper cut", "a woodcut", "a watercolour", "a mosaic")
            )
        case Makes.SHORTER:
            return tuple(" ".join(words[: max(1, len(words) // n)]) for n in (2, 3, 4))
        case _:
            return ()
