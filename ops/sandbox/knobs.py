"""Knobs: what a prompt asks of the sandbox, in square brackets: `a cat [throttle=2] [seconds=5]`.

Several may stand together. A word that is no knob, and a knob with a value it cannot have, are
text like any other, so a real prompt with brackets in it is an ordinary prompt.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Argument(Enum):
    """The kind of value after a knob's `=`."""

    NONE = ""
    TEXT = "[=text]"
    SECONDS = "=S"
    #: How many times, counted from the first; without a number, every time.
    COUNT = "[=N]"


class Knob(Enum):
    """Every knob: its word, its argument, and its effect."""

    # Responses to a submit that creates no task.
    DROP_BEFORE = "drop-before", Argument.COUNT, "close the connection; nothing is created"
    HTML = "html", Argument.COUNT, "answer HTTP 200 with HTML; nothing is created"
    THROTTLE = "throttle", Argument.COUNT, "refuse as too fast: HTTP 429 with Retry-After: 1"
    AUTH = "auth", Argument.COUNT, "refuse the key"
    NO_CREDIT = "no-credit", Argument.COUNT, "refuse for lack of credit"
    INVALID = "invalid", Argument.COUNT, "refuse as an invalid request"
    MODERATED = "moderated", Argument.COUNT, "refuse by moderation"
    QUEUE_FULL = "queue-full", Argument.COUNT, "refuse because the queue is full"
    # Responses to a submit whose task was created and charged.
    DROP = "drop", Argument.COUNT, "create and charge the task, then close the connection"
    BAD_GATEWAY = "bad-gateway", Argument.COUNT, "create and charge the task, then answer 502 HTML"
    NO_ID = "no-id", Argument.COUNT, "create and charge the task, then answer 2xx without its id"
    SLOW = "slow", Argument.SECONDS, "the submit's answer takes S real seconds"
    # Responses to polls of the task.
    SLOW_LOOK = "slow-look", Argument.SECONDS, "every look takes S real seconds"
    HANG_LOOK = "hang-look", Argument.COUNT, "looks hang for look_hang_seconds before their answer"
    LOOK_ERRORS = "look-errors", Argument.COUNT, "looks answer 502 with HTML"
    LOOK_THROTTLE = "look-throttle", Argument.COUNT, "looks answer HTTP 429 with Retry-After: 1"
    LOOK_GARBAGE = "look-garbage", Argument.COUNT, "looks answer HTTP 200 with half a JSON object"
    LOST = "lost", Argument.COUNT, "looks do not know the task"
    # Outcomes of the task.
    FAIL = "fail", Argument.TEXT, "the task fails upstream, with this text"
    MODERATED_LATE = (
        "moderated-late",
        Argument.NONE,
        "the task is accepted, then fails by moderation",
    )
    STUCK = "stuck", Argument.NONE, "the task runs for ever"
    NO_URL = "no-url", Argument.NONE, "the task succeeds without a URL"
    UNKNOWN_STATUS = (
        "unknown-status",
        Argument.NONE,
        "the task reports a status nobody knows for the middle third of its time",
    )
    SECONDS = "seconds", Argument.SECONDS, "the task takes S sandbox seconds"
    EXPIRES = "expires", Argument.SECONDS, "the task's asset URLs expire after S sandbox seconds"

    def __init__(self, word: str, argument: Argument, meaning: str) -> None:
        self.word = word
        self.argument = argument
        self.meaning = meaning

    @property
    def usage(self) -> str:
        """Its notation, such as `[slow=S]`."""
        return f"[{self.word}{self.argument.value}]"


@dataclass(frozen=True, slots=True)
class Knobs:
    """The knobs of one prompt; false if there are none."""

    values: Mapping[Knob, float | str]

    def __bool__(self) -> bool:
        return bool(self.values)

    def has(self, knob: Knob) -> bool:
        """Whether the prompt names the knob."""
        return knob in self.values

    def number(self, knob: Knob, default: float = 0.0) -> float:
        """Its seconds, or how often it applies (inf: every time); `default` without the knob."""
        value = self.values.get(knob, default)
        return value if isinstance(value, float) else default

    def text(self, knob: Knob, default: str = "") -> str:
        """Its text; `default` without the knob or without a text."""
        return str(self.values.get(knob) or default)


NO_KNOBS = Knobs({})

_KNOB = re.compile(r"\[([a-z]+(?:-[a-z]+)*)(?:=([^\[\]]*))?\]")
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,6})?")
_BY_WORD = {knob.word: knob for knob in Knob}


def parse_knobs(prompt: str) -> Knobs:
    """The knobs in a prompt; of a repeated knob, the last one counts. Never raises."""
    if "[" not in prompt:
        return NO_KNOBS
    values: dict[Knob, float | str] = {}
    for word, argument in _KNOB.findall(prompt):
        knob = _BY_WORD.get(word)
        value = None if knob is None else _value(knob.argument, argument.strip())
        if knob is not None and value is not None:
            values[knob] = value
    return Knobs(values) if values else NO_KNOBS


def _value(kind: Argument, argument: str) -> float | str | None:
    """The value of an argument; None if it is not valid for the knob."""
    if kind is Argument.TEXT or (kind is Argument.NONE and not argument):
        return argument
    if kind is Argument.COUNT and not argument:
        return math.inf
    if kind is not Argument.NONE and _NUMBER.fullmatch(argument):
        return float(argument)
    return None
