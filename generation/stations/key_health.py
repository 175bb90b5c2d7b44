"""The health of one key at one station: blocks, pauses, submit rate, balance.

It is stored, so every process knows the same. A key is judged by what the station says about it,
never by the outcome of a job. A blocked key is tried again by one job at a time, less and less
often, and recovers by itself. Refusals of one model or one job are in `generation.stations.blocks`.
"""

from dataclasses import dataclass, field, replace
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
from generation.contract.pauses import LONGEST_LOOK_PAUSE, LONGEST_SUBMIT_PAUSE, submit_pause
from generation.providers.kit.balance import Balance
from generation.stations.blocks import (
    APART,
    ModelBlock,
    ModelBlocks,
    SubmitRef,
    after_pass,
    after_refusal,
    appended,
    is_contradicted,
    is_the_job,
    is_whole_key,
)
from generation.stations.station import Key

#: The names of a station and of one of its keys.
KeyName = tuple[str, str]
#: A blocked key is tried again this much more slowly than a rate limited one.
BLOCKED_SLOWDOWN = 6
#: The largest number of doublings of a wait.
MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class RetryWaits:
    """Waits that double from `base` up to `limit`."""

    base: timedelta
    limit: timedelta

    def after(self, times: int) -> timedelta:
        return min(self.base * 2 ** min(times, MOST_DOUBLINGS), self.limit)

    @property
    def between_balances(self) -> timedelta:
        """How often the balance of an account with too little credit is asked for."""
        return self.slower().base

    def slower(self) -> "RetryWaits":
        return RetryWaits(self.base * BLOCKED_SLOWDOWN, self.limit * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHealth:
    """The state of one key at one station."""

    station: str
    key: str
    #: `auth` or `out_of_credits` while the station refuses the key itself.
    blocked_code: str | None = None
    blocked_since: datetime | None = None
    blocked_words: str = ""
    #: When one job may try a blocked key again.
    probe_at: datetime | None = None
    probes: int = 0
    #: The latest jobs for which it was refused; the last one is at the end.
    refused: tuple[str, ...] = ()
    #: What it may not submit, although the key itself is accepted.
    blocks: ModelBlocks = field(default_factory=ModelBlocks)
    #: The last known balance, its unit, and when it is asked for again.
    balance: float | None = None
    balance_unit: str = ""
    balance_at: datetime | None = None
    #: The station wants no submit with this key before then.
    cool_until: datetime | None = None
    #: How many times in a row it has said so, and when it last did.
    cooled: int = 0
    cooled_at: datetime | None = None
    #: The job that was rate limited last. A second one pauses the key.
    throttled: str | None = None
    #: Submits per minute are a bucket that refills; this is when it will be full again.
    full_at: datetime | None = None
    #: The station wants no look with this key before then.
    look_after: datetime | None = None

    @classmethod
    def of(cls, name: KeyName) -> "KeyHealth":
        """Return the state of a key of which nothing is known."""
        return cls(station=name[0], key=name[1])

    @property
    def name(self) -> KeyName:
        return self.station, self.key

    @property
    def is_troubled(self) -> bool:
        return self.blocked_code is not None or self.cooled > 0

    def concerns(self, subject: str, now: datetime) -> bool:
        """Return whether anything may keep jobs of this subject from being submitted."""
        held = self.blocks.holds(subject, now)
        return self.is_troubled or self.is_unwatched(now) or held

    def is_unwatched(self, now: datetime) -> bool:
        """Return whether looks with it are paused.

        Nothing is submitted that could not be looked at.
        """
        return is_ahead(self.look_after, now, LONGEST_LOOK_PAUSE)

    def may_ask_balance(self, now: datetime) -> bool:
        """Return whether to ask for the balance now, because there was too little credit."""
        asked = self.balance_at is not None and now < self.balance_at
        return self.blocked_code == ErrorCode.OUT_OF_CREDITS and not asked

    def is_cooling(self, now: datetime) -> bool:
        return is_ahead(self.cool_until, now, LONGEST_SUBMIT_PAUSE)

    def is_blocked(self, now: datetime) -> bool:
        """Return whether not even a trial is due."""
        waits = self.probe_at is not None and now < self.probe_at
        return self.blocked_code is not None and waits


def is_ahead(moment: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Return whether a pause until this time is in effect.

    One that is further ahead than any pause came from a wrong clock.
    """
    return moment is not None and now < moment <= now + longest + APART


def after_answer(
    account: KeyHealth, answer: object, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """Return the key's state after the answer to a submit; the same object if nothing changes."""
    match answer:
        case Throttled(scope=Scope.KEY) if account.throttled in {None, sent.job_id}:
            return replace(account, throttled=sent.job_id, cooled_at=now)
        case Throttled(scope=Scope.KEY):
            return cooled(account, answer, sent, now, retry_waits)
        case AccountBlocked() if is_the_job(account.blocks, answer, sent):
            return refused(account, answer, sent, now, retry_waits)
        case AccountBlocked(scope=Scope.KEY) if not is_contradicted(account.blocks, sent):
            return blocked(account, answer, sent, now, retry_waits.slower())
        case AccountBlocked(scope=Scope.KEY):
            return held(account, answer, sent, now, retry_waits)
        case AccountBlocked():
            return refused(account, answer, sent, now, retry_waits)
        case NotAccepted(scope=Scope.MODEL):
            return refused(account, answer, sent, now, retry_waits)
        case Rejected():  # the order is refused, so the key was let in
            return let_in(account, sent, now)
        case NotAccepted() | Fault():
            return account
        case _:
            return accepted(let_in(account, sent, now), sent)


def cooled(
    account: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """The key was rate limited, as another job than this one was before.

    Answers to submits that were sent together count as one.
    """
    together = account.is_cooling(now)
    usual = timedelta(0) if together else retry_waits.after(account.cooled)
    until = max(now + submit_pause(fault, usual), account.cool_until or now)
    return replace(
        account,
        cool_until=until,
        cooled=account.cooled + (not together),
        cooled_at=now,
        throttled=sent.job_id,
    )


def blocked(
    account: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """The key itself was refused. A trial has set the time of the next one when it began."""
    noted = replace(after_refusal(account.blocks, fault, sent, now), holds=False)
    account = replace(
        account,
        blocked_code=fault.code.value,
        blocked_words=fault.message,
        blocked_since=account.blocked_since or now,
        refused=appended(account.refused, sent.job_id),
        blocks=account.blocks.with_block(noted, now),
    )
    if account.probe_at is not None:
        return account
    return replace(account, probe_at=now + retry_waits.after(0), probes=0)


def refused(
    account: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """The submit was refused for this job.

    It applies to the model if another job of the same model was refused too, and to the key if
    another model was refused and neither was named.
    """
    block = after_refusal(account.blocks, fault, sent, now)
    if block.holds:
        return held(account, fault, sent, now, retry_waits)
    return replace(account, blocks=account.blocks.with_block(block, now))


def held(
    account: KeyHealth, fault: Fault, sent: SubmitRef, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """The model was refused: all its jobs wait, and one at a time tries again."""
    block = replace(after_refusal(account.blocks, fault, sent, now), holds=True)
    begun = block.probe_at is not None and now < block.probe_at and fault.retry_after is None
    if not begun:
        wait = submit_pause(fault, between_trials(block, retry_waits).after(block.probes))
        block = replace(block, probe_at=now + wait)
    account = replace(account, blocks=account.blocks.with_block(block, now))
    if isinstance(fault, AccountBlocked) and is_whole_key(account.blocks, now):
        return blocked(account, fault, sent, now, retry_waits.slower())
    return account


def between_trials(block: ModelBlock, retry_waits: RetryWaits) -> RetryWaits:
    """Return the wait between trials: shorter for a busy upstream than for a refusal."""
    return retry_waits if block.code == ErrorCode.RATE_LIMITED else retry_waits.slower()


def let_in(account: KeyHealth, sent: SubmitRef, now: datetime) -> KeyHealth:
    """The station accepted a submit with this key.

    The key is not blocked, and not rate limited once the requested pause is over. A submit that was
    sent before the problem began says nothing about it.
    """
    if account.blocked_since is not None and sent.at >= account.blocked_since:
        account = unblocked(account)
    over = (account.cooled > 0 or account.throttled) and not account.is_cooling(now)
    if over and (account.cooled_at is None or sent.at >= account.cooled_at):
        account = replace(account, cooled=0, cooled_at=None, cool_until=None, throttled=None)
    return account


def accepted(account: KeyHealth, sent: SubmitRef) -> KeyHealth:
    blocks = after_pass(account.blocks, sent)
    return account if blocks is account.blocks else replace(account, blocks=blocks)


def begin_trial(
    account: KeyHealth, subject: str, job_id: str, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """This job tries the blocked model.

    The wait before the next trial is longer than before this one.
    """
    block = account.blocks.get(subject)
    if block is None or not block.is_held(now):
        return account
    probes = block.probes + 1
    next_at = now + between_trials(block, retry_waits).after(probes)
    block = replace(block, probes=probes, probe_at=next_at, prober=job_id)
    return replace(account, blocks=account.blocks.with_block(block, now))


def begin_probe(account: KeyHealth, now: datetime, retry_waits: RetryWaits) -> KeyHealth:
    """One job tries the blocked key.

    The wait before the next trial is longer than before this one.
    """
    probes = account.probes + 1
    return replace(account, probes=probes, probe_at=now + retry_waits.slower().after(probes))


def begin_balance(account: KeyHealth, now: datetime, retry_waits: RetryWaits) -> KeyHealth:
    """Claim the query of the balance, so that one process at a time asks."""
    if not account.may_ask_balance(now):
        return account
    return replace(account, balance_at=now + retry_waits.between_balances)


def after_balance(
    account: KeyHealth, balance: Balance, now: datetime, retry_waits: RetryWaits
) -> KeyHealth:
    """The balance of an account that had too little credit.

    More than before: credit was added, and the key is unblocked. Zero: no job tries it until that
    changes. Something, but not more: it may be too little, so jobs try it as slowly as any blocked
    key.
    """
    if account.blocked_code != ErrorCode.OUT_OF_CREDITS:
        return account
    if account.balance is not None and balance.left > max(account.balance, 0.0):
        return replace(unblocked(account), blocks=account.blocks.without(account.blocked_code))
    noted = replace(account, balance=balance.left, balance_unit=balance.unit)
    if balance.left > 0 or not balance.is_all:
        return noted
    until = now + 2 * retry_waits.between_balances
    return replace(noted, probe_at=max(noted.probe_at or now, until))


def rested(account: KeyHealth, until: datetime) -> KeyHealth:
    """Looks with this key pause until then."""
    if account.look_after is not None and account.look_after >= until:
        return account
    return replace(account, look_after=until)


def unblocked(account: KeyHealth) -> KeyHealth:
    """The key itself is no longer refused."""
    return replace(
        account,
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


def burst(per_minute: int) -> int:
    """Return how many submits may leave at once: those due in a second, at least one."""
    return max(1, round(per_minute / 60))


def spacing(per_minute: int) -> timedelta:
    """Return the time in which one submit's share of the bucket refills.

    A full burst at the beginning of a minute and everything that refills in it are together no more
    than `per_minute`.
    """
    return timedelta(minutes=1) / (per_minute - burst(per_minute) + 1)


def submits_left(account: KeyHealth, key: Key, now: datetime) -> int | None:
    """Return how many submits may leave now; None if the key has no such limit."""
    if key.submits_per_minute is None:
        return None
    missing = refill(account, key.submits_per_minute, now) / spacing(key.submits_per_minute)
    return max(0, int(burst(key.submits_per_minute) - missing + 1e-6))


def submitted(account: KeyHealth, key: Key, now: datetime) -> KeyHealth:
    """Return the key's state after one more submit."""
    if key.submits_per_minute is None:
        return account
    per_minute = key.submits_per_minute
    full_at = now + refill(account, per_minute, now) + spacing(per_minute)
    return replace(account, full_at=full_at)


def refill(account: KeyHealth, per_minute: int, now: datetime) -> timedelta:
    """Return how long the bucket takes to be full again.

    No bucket takes longer than an empty one: a time a little beyond that came from a clock slightly
    ahead, one far beyond it from a wrong clock, which is ignored.
    """
    missing = max((account.full_at or now) - now, timedelta(0))
    longest = burst(per_minute) * spacing(per_minute)
    return min(missing, longest) if missing <= longest + APART else timedelta(0)
