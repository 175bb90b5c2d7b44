"""How a key's health changes: after answers to submits, trials, balances and pauses.

A blocked key is tried again by one job at a time, less and less often, and recovers by itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    NotAccepted,
    Rejected,
    Scope,
    Throttled,
)
from generation.contract.pauses import submit_pause
from generation.providers.kit.balance import Balance
from generation.stations.blocks import (
    ModelBlock,
    SubmitRef,
    after_pass,
    after_refusal,
    appended,
    is_contradicted,
    is_the_job,
    is_whole_key,
)
from generation.stations.key_health import KeyHealth, RetryWaits


def after_answer(
    health: KeyHealth, answer: object, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Return the key's state after the answer to a submit; the same object if nothing changes."""
    match answer:
        case Throttled(scope=Scope.KEY) if health.throttled in {None, sent.job_id}:
            return replace(health, throttled=sent.job_id, cooled_at=now)
        case Throttled(scope=Scope.KEY):
            return pause_submits(health, answer, sent, now, retry_waits)
        case AccountBlocked() if is_the_job(health.blocks, answer, sent):
            return note_refusal(health, answer, sent, now, retry_waits)
        case AccountBlocked(scope=Scope.KEY) if not is_contradicted(health.blocks, sent):
            return block_key(health, answer, sent, now, retry_waits.slower())
        case AccountBlocked(scope=Scope.KEY):
            return block_model(health, answer, sent, now, retry_waits)
        case AccountBlocked():
            return note_refusal(health, answer, sent, now, retry_waits)
        case NotAccepted(scope=Scope.MODEL):
            return note_refusal(health, answer, sent, now, retry_waits)
        case Rejected():  # the request is refused, so the key was accepted
            return key_accepted(health, sent, now)
        case NotAccepted() | Fault():
            return health
        case _:
            return model_accepted(key_accepted(health, sent, now), sent)


def pause_submits(
    health: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Pause submits: the key was rate limited again, and for another job than before.

    Answers to submits that were sent together count as one.
    """
    together = health.is_cooling(now)
    usual = timedelta(0) if together else retry_waits.after(health.cooled)
    until = max(now + submit_pause(fault, usual), health.cool_until or now)
    return replace(
        health,
        cool_until=until,
        cooled=health.cooled + (not together),
        cooled_at=now,
        throttled=sent.job_id,
    )


def block_key(
    health: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Block the key, which was refused. A trial sets the time of the next one as it begins."""
    noted = replace(after_refusal(health.blocks, fault, sent, now), holds=False)
    health = replace(
        health,
        blocked_code=fault.code.value,
        blocked_words=fault.message,
        blocked_since=health.blocked_since or now,
        refused=appended(health.refused, sent.job_id),
        blocks=health.blocks.with_block(noted, now),
    )
    if health.probe_at is not None:
        return health
    return replace(health, probe_at=now + retry_waits.after(0), probes=0)


def note_refusal(
    health: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Record that the submit was refused for this job.

    The refusal applies to the model if another job of the same model was refused too, and to the
    key if another model was refused and neither was named.
    """
    block = after_refusal(health.blocks, fault, sent, now)
    if block.holds:
        return block_model(health, fault, sent, now, retry_waits)
    return replace(health, blocks=health.blocks.with_block(block, now))


def block_model(
    health: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Block the model, which was refused: its jobs wait, and one at a time tries again."""
    block = replace(after_refusal(health.blocks, fault, sent, now), holds=True)
    begun = block.probe_at is not None and now < block.probe_at and fault.retry_after is None
    if not begun:
        wait = submit_pause(fault, between_trials(block, retry_waits).after(block.probes))
        block = replace(block, probe_at=now + wait)
    health = replace(health, blocks=health.blocks.with_block(block, now))
    if isinstance(fault, AccountBlocked) and is_whole_key(health.blocks, now):
        return block_key(health, fault, sent, now, retry_waits.slower())
    return health


def between_trials(block: ModelBlock, retry_waits: RetryWaits) -> RetryWaits:
    """Return the wait between trials: shorter for a busy upstream than for a refusal."""
    return retry_waits if block.code == ErrorCode.RATE_LIMITED else retry_waits.slower()


def key_accepted(health: KeyHealth, sent: SubmitRef, now: datetime) -> KeyHealth:
    """Record that the station accepted a submit with this key.

    The key is not blocked, and not rate limited once the requested pause is over. A submit that was
    sent before the problem began says nothing about it.
    """
    if health.blocked_since is not None and sent.at >= health.blocked_since:
        health = unblock_key(health)
    over = (health.cooled > 0 or health.throttled) and not health.is_cooling(now)
    if over and (health.cooled_at is None or sent.at >= health.cooled_at):
        health = replace(health, cooled=0, cooled_at=None, cool_until=None, throttled=None)
    return health


def model_accepted(health: KeyHealth, sent: SubmitRef) -> KeyHealth:
    blocks = after_pass(health.blocks, sent)
    return health if blocks is health.blocks else replace(health, blocks=blocks)


def begin_trial(
    health: KeyHealth, subject: str, job_id: str, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Let this job try the blocked model.

    The wait before the next trial is longer than before this one.
    """
    block = health.blocks.get(subject)
    if block is None or not block.is_held(now):
        return health
    probes = block.probes + 1
    next_at = now + between_trials(block, retry_waits).after(probes)
    block = replace(block, probes=probes, probe_at=next_at, prober=job_id)
    return replace(health, blocks=health.blocks.with_block(block, now))


def begin_probe(health: KeyHealth, now: datetime, retry_waits: RetryWaits) -> KeyHealth:
    """Let one job try the blocked key.

    The wait before the next trial is longer than before this one.
    """
    probes = health.probes + 1
    return replace(health, probes=probes, probe_at=now + retry_waits.slower().after(probes))


def begin_balance(health: KeyHealth, now: datetime, retry_waits: RetryWaits) -> KeyHealth:
    """Claim the query of the balance, so that one process at a time asks."""
    if not health.may_ask_balance(now):
        return health
    return replace(health, balance_at=now + retry_waits.between_balances)


def after_balance(
    health: KeyHealth, balance: Balance, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Record the balance of an account that had too little credit.

    More than before: credit was added, and the key is unblocked. Zero: no job tries it until that
    changes. Something, but not more: it may be too little, so jobs try it as slowly as any blocked
    key.
    """
    if health.blocked_code != ErrorCode.OUT_OF_CREDITS:
        return health
    if health.balance is not None and balance.left > max(health.balance, 0.0):
        return replace(unblock_key(health), blocks=health.blocks.without(health.blocked_code))
    noted = replace(health, balance=balance.left, balance_unit=balance.unit)
    if balance.left > 0 or not balance.is_all:
        return noted
    until = now + 2 * retry_waits.between_balances
    return replace(noted, probe_at=max(noted.probe_at or now, until))


def pause_looks(health: KeyHealth, until: datetime) -> KeyHealth:
    """Pause looks with this key until then."""
    if health.look_after is not None and health.look_after >= until:
        return health
    return replace(health, look_after=until)


def unblock_key(health: KeyHealth) -> KeyHealth:
    """Forget the refusal of the key itself."""
    return replace(
        health,
        blocked_code=None,
        blocked_since=None,
        blocked_words="",
        probe_at=None,
        probes=0,
        refused=(),
        balance=None,
        balance_unit="",
        balance_at=None,
    )
