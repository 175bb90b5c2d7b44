"""Moves of a job as text: what happened, and why."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from generation.explain.job_history import RecordedMove
from generation.job_document import rfc3339

SUBMITTING = "job.submitting"

Words = Callable[[RecordedMove, int], str]


def because(message: str, otherwise: str = "") -> Words:
    """Return a function that describes a move with its reason, if it has one."""

    def say(move: RecordedMove, attempt: int) -> str:
        del attempt
        rest = f": {move.reason}" if move.reason else otherwise
        return sentence(f"{message}{rest}")

    return say


def sent(move: RecordedMove, attempt: int) -> str:
    where = f"to {move.station} with the key {move.key}" if move.station else "upstream"
    return f"Attempt {attempt}: a worker took it and sent it {where}."


#: By event type.
WORDS: Mapping[str, Words] = {
    "job.queued": because("It was ordered and stored", ", and waits to be sent"),
    SUBMITTING: sent,
    "job.requeued": because("It was surely not taken, and waits to be sent again"),
    "job.started": because("The upstream took it and works on it"),
    "job.awaiting_input": because("The upstream waits for your input"),
    "job.resumed": because("The upstream took your input and works on"),
    "job.in_doubt": because("It is looked for, and not sent again on a guess"),
    "job.progress": because("The upstream told of its progress"),
    "job.succeeded": because("It succeeded"),
    "job.failed": because("It failed"),
    "job.canceled": because("It was canceled"),
    "job.expired": because("Its deadline passed"),
    "job.recovered": because("It succeeded late", ", and was told of all the same"),
}


def story_of(moves: Sequence[RecordedMove]) -> Iterator[dict[str, Any]]:
    """Yield each move with its time, its cause, and the attempt it belongs to."""
    attempt = 0
    for move in moves:
        attempt += move.type == SUBMITTING
        say = WORDS.get(move.type) or because(f"{move.type} happened")
        yield {
            "sequence": move.sequence,
            "at": rfc3339(move.at),
            "event": move.type,
            "event_id": move.id,
            "state": move.state,
            "words": say(move, attempt),
            "reason": move.reason or None,
            "attempt": attempt or None,
            "station": move.station,
            "key": move.key,
        }


def attempts_of(moves: Sequence[RecordedMove]) -> list[dict[str, Any]]:
    """Return every submit that was sent, and its outcome."""
    found: list[dict[str, Any]] = []
    for move in moves:
        if move.type == SUBMITTING:
            found.append(
                {
                    "number": len(found) + 1,
                    "at": rfc3339(move.at),
                    "station": move.station,
                    "key": move.key,
                    "led_to": None,
                    "reason": None,
                }
            )
        elif found and found[-1]["led_to"] is None:
            found[-1] |= {"led_to": move.state, "reason": move.reason or None}
    return found


def sentence(message: str) -> str:
    return message if message.endswith((".", "!", "?", "。")) else f"{message}."
