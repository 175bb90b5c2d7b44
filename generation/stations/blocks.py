"""
What a key may not submit: refusals that hold for one provider's model, or for one job.

A refusal holds for the job alone until a second, different job of the same model meets the same:
then the model is held at this key.
A held model is tried again by one job at a time, another one than was refused last where there is
one. A job that is refused again, while others of its provider pass, is itself the reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from generation.contract.errors import AccountBlocked, Fault, Scope
from generation.job import Job

#: A refusal is forgotten after this; a held model that jobs wait for is tried more often.
REMEMBERED = timedelta(hours=1)
#: The clocks of two machines are never further apart, unless one is wrong.
APART = timedelta(seconds=5)
#: Of one key, no more models than this are remembered, and of a model no more refused jobs.
MOST_MODELS = 100
MOST_JOBS = 20
#: As many different jobs of one model, refused in a row, hold the model.
JOBS_TO_HOLD = 2
#: As many models, held in a row for reasons that name no model, block the key.
MODELS_TO_BLOCK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The submit that an answer belongs to."""

    job_id: str
    provider: str
    subject: str
    at: datetime


def sent_by(job: Job, now: datetime) -> Sent:
    """The latest submit of this job."""
    return Sent(
        job_id=job.id,
        provider=job.provider,
        subject=subject_of(job),
        at=job.submitted_at or now,
    )


def subject_of(job: Job) -> str:
    """What a refusal may hold for: `openai/gpt-image-1`; without a model, `suno.music`."""
    return f"{job.provider}/{job.model}" if job.model else job.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What is known of one provider's model at one key."""

    subject: str
    provider: str
    code: str
    text: str
    #: When it was first refused, and last.
    since: datetime
    refused_at: datetime
    #: The latest jobs that were refused, the last one at the end.
    refused: tuple[str, ...] = ()
    #: Of these, the ones since a job of this model last passed.
    in_a_row: tuple[str, ...] = ()
    #: The upstream named the model or provider, so the key itself is not in question.
    is_named: bool = False
    #: Since the last refusal a job of this provider has passed; one of another model.
    provider_passed: bool = False
    others_passed: bool = False
    #: All jobs of this model wait. Otherwise only those that were refused do.
    holds: bool = False
    #: When the next one may try, and which one does.
    probe_at: datetime | None = None
    probes: int = 0
    prober: str | None = None

    def is_held(self, now: datetime) -> bool:
        """Whether all jobs of this model wait, and somebody has lately seen why."""
        return self.holds and not self.is_forgotten(now)

    def is_closed(self, now: datetime) -> bool:
        """Whether not even a trial is due."""
        return self.is_held(now) and self.probe_at is not None and now < self.probe_at

    def is_forgotten(self, now: datetime) -> bool:
        """So is a refusal that is still to come: the clock that it was read off was wrong."""
        return not -APART <= now - self.refused_at < REMEMBERED

    def describe(self) -> str:
        """For a person: what is held, since when, and what the upstream said."""
        text = f": {self.text}" if self.text else ""
        return f"{self.subject} since {self.since:%H:%M} UTC ({self.code}{text})"


@dataclass(frozen=True, slots=True)
class Blocks:
    """All of one key, by subject."""

    by_subject: Mapping[str, Block] = field(default_factory=dict[str, Block])

    def __iter__(self) -> Iterator[Block]:
        return iter(self.by_subject.values())

    def __bool__(self) -> bool:
        return bool(self.by_subject)

    def get(self, subject: str) -> Block | None:
        return self.by_subject.get(subject)

    def held(self, now: datetime) -> list[Block]:
        """Models that all jobs wait for, by name."""
        return sorted((block for block in self if block.is_held(now)), key=lambda it: it.subject)

    def holds(self, subject: str, now: datetime) -> bool:
        block = self.get(subject)
        return block is not None and block.is_held(now)

    def without(self, code: str) -> "Blocks":
        """These but for refusals of this kind, whose cause is gone."""
        return Blocks({block.subject: block for block in self if block.code != code})

    def with_block(self, block: Block, now: datetime) -> "Blocks":
        """These and that one; without those that are too old or too many."""
        known = {each.subject: each for each in self if not each.is_forgotten(now)}
        known[block.subject] = block
        latest = sorted(known.values(), key=lambda each: each.refused_at)[-MOST_MODELS:]
        return Blocks({each.subject: each for each in latest})


def after_refusal(blocks: Blocks, fault: Fault, sent: Sent, now: datetime) -> Block:
    """
    The subject's block after one more refusal. A refusal may be about what one job asks for,
    whatever its text names, so it takes several different jobs to hold the model.
    """
    before = blocks.get(sent.subject)
    if before is None or before.is_forgotten(now):
        before = Block(
            subject=sent.subject,
            provider=sent.provider,
            code=fault.code.value,
            text=fault.message,
            since=now,
            refused_at=now,
        )
    in_a_row = appended(before.in_a_row, sent.job_id)
    named = fault.scope is Scope.MODEL
    return replace(
        before,
        code=fault.code.value,
        text=fault.message,
        refused_at=now,
        refused=appended(before.refused, sent.job_id),
        in_a_row=in_a_row,
        is_named=named,
        provider_passed=False,
        others_passed=False,
        holds=before.holds or len(in_a_row) >= JOBS_TO_HOLD,
    )


def after_pass(blocks: Blocks, sent: Sent) -> Blocks:
    """
    The blocks after a submit was accepted: its model is free, and the other refusals are not the
    key's fault. The same object where that is no news. One that was sent before a refusal says
    nothing about it.
    """
    after = {block.subject: passed(block, sent) for block in blocks}
    if all(after[block.subject] is block for block in blocks):
        return blocks
    return Blocks({subject: block for subject, block in after.items() if block.refused})


def passed(block: Block, sent: Sent) -> Block:
    if sent.at < block.refused_at:
        return block
    if sent.subject == block.subject:
        rest = tuple(job_id for job_id in block.refused if job_id != sent.job_id)
        freed = replace(
            block,
            refused=rest,
            in_a_row=(),
            provider_passed=True,
            others_passed=False,
            holds=False,
            probe_at=None,
            probes=0,
            prober=None,
        )
        return block if freed == block else freed
    same_provider = block.provider_passed or sent.provider == block.provider
    if block.others_passed and same_provider == block.provider_passed:
        return block
    return replace(block, others_passed=True, provider_passed=same_provider)


def is_the_job(blocks: Blocks, fault: Fault, sent: Sent) -> bool:
    """
    Whether it was refused before, and others of its provider have passed with this key since: then
    it is not the key. What the upstream merely cannot do at the moment is no such refusal.
    """
    block = blocks.get(sent.subject)
    refused_again = block is not None and sent.job_id in block.refused and block.provider_passed
    return isinstance(fault, AccountBlocked) and refused_again


def is_contradicted(blocks: Blocks, sent: Sent) -> bool:
    """Whether jobs of other models have passed with this key since this one was refused."""
    block = blocks.get(sent.subject)
    return block is not None and block.others_passed


def is_whole_key(blocks: Blocks, now: datetime) -> bool:
    """Whether so many models are refused, for reasons that name none, that it is the key."""
    refused = [block for block in blocks.held(now) if not block.is_named]
    return sum(not block.others_passed for block in refused) >= MODELS_TO_BLOCK


def appended(job_ids: tuple[str, ...], job_id: str) -> tuple[str, ...]:
    return (*(each for each in job_ids if each != job_id), job_id)[-MOST_JOBS:]
