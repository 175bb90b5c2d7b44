"""What happens to a job: pure decisions, `(job, answer, now) -> job`.

A worker passes the answer of an exchange, or its `Fault`, to one of these functions and saves the
returned job. A decision can be made again on a newer copy of the job, so an answer survives changes
that happened during the exchange.
"""

from generation.lifecycle.awaiting_input import after_input, awaiting_input, begin_input, give_input
from generation.lifecycle.cancel import after_cancel, request_cancel
from generation.lifecycle.context import FIND_CEILING, GRACE, DecisionContext, LifecycleRules
from generation.lifecycle.ending import (
    canceled,
    ended,
    expired,
    fail_in_doubt,
    finish,
    reject,
    unbilled,
    with_last_reply,
)
from generation.lifecycle.in_doubt import (
    after_find,
    cannot_be_searched,
    doubt,
    lost_submit_has_ended,
    reaches_back,
    requeue_after_doubt,
    search_proved_nothing,
)
from generation.lifecycle.running import (
    AFTERLIFE,
    MISSES_TO_LOSE,
    after_look,
    asset_missing,
    claimed_until,
    started,
    still_running,
    stop_looking,
    task_not_found,
)
from generation.lifecycle.submit import (
    CALL,
    after_submit,
    begin_submit,
    call,
    enter_wait_queue,
    requeue,
    retry_later,
)

__all__ = [
    "AFTERLIFE",
    "CALL",
    "FIND_CEILING",
    "GRACE",
    "MISSES_TO_LOSE",
    "DecisionContext",
    "LifecycleRules",
    "after_cancel",
    "after_find",
    "after_input",
    "after_look",
    "after_submit",
    "asset_missing",
    "awaiting_input",
    "begin_input",
    "begin_submit",
    "call",
    "canceled",
    "cannot_be_searched",
    "claimed_until",
    "doubt",
    "ended",
    "enter_wait_queue",
    "expired",
    "fail_in_doubt",
    "finish",
    "give_input",
    "lost_submit_has_ended",
    "reaches_back",
    "reject",
    "request_cancel",
    "requeue",
    "requeue_after_doubt",
    "retry_later",
    "search_proved_nothing",
    "started",
    "still_running",
    "stop_looking",
    "task_not_found",
    "unbilled",
    "with_last_reply",
]
