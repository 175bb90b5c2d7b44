"""
What is known of one key at one station, beyond the settings: blocked, called too fast, how fast it
was called. Every process knows the same, because it is on disk.

A key is judged by what the station says of it, never by how a job fares. One that is blocked is
tried again by one job at a time, ever more slowly, and recovers by itself. What holds for one model
or one job only is in `generation.stations.blocks`.
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
    Block,
    Blocks,
    Sent,
    after_pass,
    after_refusal,
    appended,
    is_contradicted,
    is_the_job,
    is_whole_key,
)
from generation.stations.station import Key

#: A station and one of its keys, by their names.
KeyName = tuple[str, str]
#: A blocked key is tried again this much more slowly than one that was called too fast.
BLOCKED_SLOWDOWN = 6
#: No wait grows by more doublings than this.
MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits that double from `base` up to `limit`."""

    base: timedelta
    limit: timedelta

    def after(self, times: int) -> timedelta:
        return min(self.base * 2 ** min(times, MOST_DOUBLINGS), self.limit)

    @property
    def between_balances(self) -> timedelta:
        """How often it is asked what is left in an account that had too little."""
        return self.slower().base

    def slower(self) -> "Patience":
        return Patience(self.base * BLOCKED_SLOWDOWN, self.limit * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One key at one station, as of now."""

    station: str
    key: str
    #: `auth` or `out_of_credits` while the station refuses the key itself.
    blocked_code: str | None = None
    blocked_since: datetime | None = None
    blocked_words: str = ""
    #: When one job may try a blocked key again.
    probe_at: datetime | None = None
    probes: int = 0
    #: The latest jobs it was refused for, the last one at the end.
    refused: tuple[str, ...] = ()
    #: What it may not submit, although the key itself is let in.
    blocks: Blocks = field(default_factory=Blocks)
    #: What was left when it was last asked for, in what unit, and when it is to be asked again.
    balance: float | None = None
    balance_unit: str = ""
    balance_at: datetime | None = None
    #: The station wants no submit with this key before then.
    cool_until: datetime | None = None
    #: How many times in a row it has said so, and when it last did.
    cooled: int = 0
    cooled_at: datetime | None = None
    #: The job that was told so last. It takes a second one to pause the key.
    throttled: str | None = None
    #: Submits a minute are a bucket that refills; this is when it will be full again.
    full_at: datetime | None = None
    #: The station wants no look with this key before then.
    look_after: datetime | None = None

    @classmethod
    def of(cls, name: KeyName) -> "Account":
        """A key nothing is known of."""
        return cls(station=name[0], key=name[1])

    @property
    def name(self) -> KeyName:
        return self.station, self.key

    @property
    def is_troubled(self) -> bool:
        return self.blocked_code is not None or self.cooled > 0

    def concerns(self, subject: str, now: datetime) -> bool:
        """Whether anything known of the key may keep jobs of this subject from being sent."""
        held = self.blocks.holds(subject, now)
        return self.is_troubled or self.is_unwatched(now) or held

    def is_unwatched(self, now: datetime) -> bool:
        """Whether no look may be sent with it. Nothing is bought that could not be looked at."""
        return is_ahead(self.look_after, now, LONGEST_LOOK_PAUSE)

    def may_ask_balance(self, now: datetime) -> bool:
        """Whether it is time to ask what is left, because there was too little."""
        asked = self.balance_at is not None and now < self.balance_at
        return self.blocked_code == ErrorCode.OUT_OF_CREDITS and not asked

    def is_cooling(self, now: datetime) -> bool:
        return is_ahead(self.cool_until, now, LONGEST_SUBMIT_PAUSE)

    def is_blocked(self, now: datetime) -> bool:
        """Whether not even a trial is due."""
        waits = self.probe_at is not None and now < self.probe_at
        return self.blocked_code is not None and waits


def is_ahead(moment: datetime | None, now: datetime, longest: timedelta) -> bool:
    """
    Whether a pause lasts until this moment, which is still to come. One that is further ahead than
    any pause was read off a clock that was wrong.
    """
    return moment is not None and now < moment <= now + longest + APART


def after_answer(
    account: Account, answer: object, sent: Sent, now: datetime, patience: Patience
) -> Account:
    """The account after the answer to a submit; the same object if that says nothing new of it."""
    match answer:
        case Throttled(scope=Scope.KEY) if account.throttled in {None, sent.job_id}:
            return replace(account, throttled=sent.job_id, cooled_at=now)
        case Throttled(scope=Scope.KEY):
            return cooled(account, answer, sent, now, patience)
        case AccountBlocked() if is_the_job(account.blocks, answer, sent):
            return refused(account, answer, sent, now, patience)
        case AccountBlocked(scope=Scope.KEY) if not is_contradicted(account.blocks, sent):
            return blocked(account, answer, sent, now, patience.slower())
        case AccountBlocked(scope=Scope.KEY):
            return held(account, answer, sent, now, patience)
        case AccountBlocked():
            return refused(account, answer, sent, now, patience)
        case NotAccepted(scope=Scope.MODEL):
            return refused(account, answer, sent, now, patience)
        case Rejected():  # the order is refused, so the key was let in
            return let_in(account, sent, now)
        case NotAccepted() | Fault():
            return account
        case _:
            return accepted(let_in(account, sent, now), sent)


def cooled(
    account: Account, fault: Fault, sent: Sent, now: datetime, patience: Patience
) -> Account:
    """
    Called too fast, as another job than this one was told before. Answers to what was sent together
    count as one.
    """
    together = account.is_cooling(now)
    usual = timedelta(0) if together else patience.after(account.cooled)
    until = max(now + submit_pause(fault, usual), account.cool_until or now)
    return replace(
        account,
        cool_until=until,
        cooled=account.cooled + (not together),
        cooled_at=now,
        throttled=sent.job_id,
    )


def blocked(
    account: Account, fault: Fault, sent: Sent, now: datetime, patience: Patience
) -> Account:
    """Refused for itself. A refused trial has set the time of the next one when it began."""
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
    return replace(account, probe_at=now + patience.after(0), probes=0)


def refused(
    account: Account, fault: Fault, sent: Sent, now: datetime, patience: Patience
) -> Account:
    """
    Refused for this job alone; for its model, where another job of the same was refused too; for
    the key, where that is so of another model and neither was named.
    """
    block = after_refusal(account.blocks, fault, sent, now)
    if block.holds:
        return held(account, fault, sent, now, patience)
    return replace(account, blocks=account.blocks.with_block(block, now))


def held(account: Account, fault: Fault, sent: Sent, now: datetime, patience: Patience) -> Account:
    """Refused for its model: all jobs of that wait, and one at a time tries again."""
    block = replace(after_refusal(account.blocks, fault, sent, now), holds=True)
    begun = block.probe_at is not None and now < block.probe_at and fault.retry_after is None
    if not begun:
        wait = submit_pause(fault, between_trials(block, patience).after(block.probes))
        block = replace(block, probe_at=now + wait)
    account = replace(account, blocks=account.blocks.with_block(block, now))
    if isinstance(fault, AccountBlocked) and is_whole_key(account.blocks, now):
        return blocked(account, fault, sent, now, patience.slower())
    return account


def between_trials(block: Block, patience: Patience) -> Patience:
    """What is only too busy is tried again sooner than what refuses us."""
    return patience if block.code == ErrorCode.RATE_LIMITED else patience.slower()


def let_in(account: Account, sent: Sent, now: datetime) -> Account:
    """
    The station took a submit with this key, so it is not blocked; nor called too fast, once the
    pause that it asked for is over. What was sent before the trouble began says nothing of it.
    """
    if account.blocked_since is not None and sent.at >= account.blocked_since:
        account = unblocked(account)
    over = (account.cooled > 0 or account.throttled) and not account.is_cooling(now)
    if over and (account.cooled_at is None or sent.at >= account.cooled_at):
        account = replace(account, cooled=0, cooled_at=None, cool_until=None, throttled=None)
    return account


def accepted(account: Account, sent: Sent) -> Account:
    blocks = after_pass(account.blocks, sent)
    return account if blocks is account.blocks else replace(account, blocks=blocks)


def begin_trial(
    account: Account, subject: str, job_id: str, now: datetime, patience: Patience
) -> Account:
    """This job tries the held model; the next one may later than this one had to wait."""
    block = account.blocks.get(subject)
    if block is None or not block.is_held(now):
        return account
    probes = block.probes + 1
    next_at = now + between_trials(block, patience).after(probes)
    block = replace(block, probes=probes, probe_at=next_at, prober=job_id)
    return replace(account, blocks=account.blocks.with_block(block, now))


def begin_probe(account: Account, now: datetime, patience: Patience) -> Account:
    """One job tries the blocked key; the next one may do so later than this one had to wait."""
    probes = account.probes + 1
    return replace(account, probes=probes, probe_at=now + patience.slower().after(probes))


def begin_balance(account: Account, now: datetime, patience: Patience) -> Account:
    """Whoever asks what is left says so first: it is asked for by one at a time."""
    if not account.may_ask_balance(now):
        return account
    return replace(account, balance_at=now + patience.between_balances)


def after_balance(account: Account, balance: Balance, now: datetime, patience: Patience) -> Account:
    """
    What is left in an account that had too little. More than there was: credit was added, and the
    key is well. Nothing: no job tries it for as long as that is the answer. Something, but not
    more: it may be too little for what was ordered, so jobs try it as slowly as any blocked key.
    """
    if account.blocked_code != ErrorCode.OUT_OF_CREDITS:
        return account
    if account.balance is not None and balance.left > max(account.balance, 0.0):
        return replace(unblocked(account), blocks=account.blocks.without(account.blocked_code))
    noted = replace(account, balance=balance.left, balance_unit=balance.unit)
    if balance.left > 0 or not balance.is_all:
        return noted
    until = now + 2 * patience.between_balances
    return replace(noted, probe_at=max(noted.probe_at or now, until))


def rested(account: Account, until: datetime) -> Account:
    """Nobody looks with this key before then."""
    if account.look_after is not None and account.look_after >= until:
        return account
    return replace(account, look_after=until)


def unblocked(account: Account) -> Account:
    """The key itself is refused no longer."""
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
    """How many submits may leave at once: what is due in a second, at least one."""
    return max(1, round(per_minute / 60))


def spacing(per_minute: int) -> timedelta:
    """
    The time one submit's share of the bucket takes to refill. A full burst at the beginning of a
    minute and everything that refills in it are together no more than `per_minute`.
    """
    return timedelta(minutes=1) / (per_minute - burst(per_minute) + 1)


def submits_left(account: Account, key: Key, now: datetime) -> int | None:
    """How many submits may leave now; None where the key has no such limit."""
    if key.submits_per_minute is None:
        return None
    missing = refill(account, key.submits_per_minute, now) / spacing(key.submits_per_minute)
    return max(0, int(burst(key.submits_per_minute) - missing + 1e-6))


def submitted(account: Account, key: Key, now: datetime) -> Account:
    """The account after one more submit."""
    if key.submits_per_minute is None:
        return account
    per_minute = key.submits_per_minute
    full_at = now + refill(account, per_minute, now) + spacing(per_minute)
    return replace(account, full_at=full_at)


def refill(account: Account, per_minute: int, now: datetime) -> timedelta:
    """
    How long the bucket takes to be full again. No bucket takes longer than an empty one: a moment a
    little beyond that was read off a clock that is a little ahead of ours, and one far beyond it
    off a clock that was wrong, and says nothing.
    """
    missing = max((account.full_at or now) - now, timedelta(0))
    longest = burst(per_minute) * spacing(per_minute)
    return min(missing, longest) if missing <= longest + APART else timedelta(0)
