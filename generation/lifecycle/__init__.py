"""What happens to a job: pure decisions, `(job, answer, now) -> job`.

A worker passes the answer of an exchange, or its `Fault`, to one of these functions and saves the
returned job. A decision can be made again on a newer copy of the job, so an answer survives changes
that happened during the exchange.
"""

from generation.lifecycle.awaiting_input import after_input, awaiting_input, begin_input, give_input
from generation.lifecycle.cancel import after_cancel, request_cancel
from generation.lifecycle.context import FIND_CEILING, GRACE, Moment, Rules
from generation.lifecycle.ending import (
    canceled,
    ended,
    expired,
    finish,
    heard,
    reject,
    unbilled,
    undecided,
)
from generation.lifecycle.in_doubt import (
    after_find,
    doubt,
    reaches_back,
    send_again,
    surely_ended,
    unfindable,
    unproven,
)
from generation.lifecycle.running import (
    AFTERLIFE,
    MISSES_TO_LOSE,
    after_look,
    claimed_until,
    empty_handed,
    given_up,
    missed,
    progressed,
    started,
)
from generation.lifecycle.submit import (
    CALL,
    after_submit,
    begin_submit,
    call,
    requeue,
    stand_in_line,
    wait_again,
)

__all__ = [
    "AFTERLIFE",
    "CALL",
    "FIND_CEILING",
    "GRACE",
    "MISSES_TO_LOSE",
    "Moment",
    "Rules",
    "after_cancel",
    "after_find",
    "after_input",
    "after_look",
    "after_submit",
    "awaiting_input",
    "begin_input",
    "begin_submit",
    "call",
    "canceled",
    "claimed_until",
    "doubt",
    "empty_handed",
    "ended",
    "expired",
    "finish",
    "give_input",
    "given_up",
    "heard",
    "missed",
    "progressed",
    "reaches_back",
    "reject",
    "request_cancel",
    "requeue",
    "send_again",
    "stand_in_line",
    "started",
    "surely_ended",
    "unbilled",
    "undecided",
    "unfindable",
    "unproven",
    "wait_again",
]
