"""What a key may not submit: refusals that apply to one model of a provider, or to one job.

A refusal applies to the job alone until a second, different job of the same model meets the same.
Then the model is blocked at this key. A blocked model is tried again by one job at a time, a
different one than was refused last if there is one. A job that is refused again, while others of
its provider pass, is itself the cause.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from generation.contract.errors import AccountBlocked, Fault, Scope
from generation.job import Job

#: A refusal is forgotten after this time. A blocked model that jobs wait for is tried more often.
REMEMBERED = timedelta(hours=1)
#: Clocks of two machines differ by no more than this, unless one is wrong.
APART = timedelta(seconds=5)
#: Models remembered per key, and refused jobs remembered per model.
MOST_MODELS = 100
MOST_JOBS = 20
#: Different jobs of one model, refused in a row, that block the model.
JOBS_TO_HOLD = 2
#: Models, blocked in a row for reasons that name no model, that block the key.
MODELS_TO_BLOCK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRef:
    """The submit that an answer belongs to."""

    job_id: str
    provider: str
    subject: str
    at: datetime


def latest_submit(job: Job, now: datetime) -> SubmitRef:
    """Return the latest submit of this job."""
    return SubmitRef(
        job_id=job.id,
        provider=job.provider,
        subject=subject_of(job),
        at=job.submitted_at or now,
    )


def subject_of(job: Job) -> str:
    """Return what a refusal may apply to: `openai/gpt-image-1`; without a model, `suno.music`."""
    return f"{job.provider}/{job.model}" if job.model else job.type


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBlock:
    """What is known of one provider's model at one key."""

    subject: str
    provider: str
    code: str
    text: str
    #: When it was refused first, and last.
    since: datetime
    refused_at: datetime
    #: The latest jobs that were refused; the last one is at the end.
    refused: tuple[str, ...] = ()
    #: Those of them that were refused since a job of this model last passed.
    in_a_row: tuple[str, ...] = ()
    #: The upstream named the model or provider, so the key itself is not in question.
    is_named: bool = False
    #: Since the last refusal a job of another model of this provider has passed.
    provider_passed: bool = False
    others_passed: bool = False
    #: All jobs of this model wait. Otherwise only the refused ones do.
    holds: bool = False
    #: When the next job may try, and which one does.
    probe_at: datetime | None = None
    probes: int = 0
    prober: str | None = None

    def is_held(self, now: datetime) -> bool:
        """Return whether all jobs of this model wait for a reason that is still recent."""
        return self.holds and not self.is_forgotten(now)

    def is_closed(self, now: datetime) -> bool:
        """Return whether not even a trial is due."""
        return self.is_held(now) and self.probe_at is not None and now < self.probe_at

    def is_forgotten(self, now: datetime) -> bool:
        """Return whether the refusal is too old, or in the future because a clock was wrong."""
        return not -APART <= now - self.refused_at < REMEMBERED

    def describe(self) -> str:
        """Return a text for people: what is blocked, since when, and the upstream's message."""
        text = f": {self.text}" if self.text else ""
        return f"{self.subject} since {self.since:%H:%M} UTC ({self.code}{text})"


@dataclass(frozen=True, slots=True)
class ModelBlocks:
    """All blocks of one key, by subject."""

    by_subject: Mapping[str, ModelBlock] = field(default_factory=dict[str, ModelBlock])

    def __iter__(self) -> Iterator[ModelBlock]:
        return iter(self.by_subject.values())

    def __bool__(self) -> bool:
        return bool(self.by_subject)

    def get(self, subject: str) -> ModelBlock | None:
        return self.by_subject.get(subject)

    def held(self, now: datetime) -> list[ModelBlock]:
        """The blocked models, by name."""
        return sorted((block for block in self if block.is_held(now)), key=lambda it: it.subject)

    def holds(self, subject: str, now: datetime) -> bool:
        block = self.get(subject)
        return block is not None and block.is_held(now)

    def without(self, code: str) -> "ModelBlocks":
        """Return the blocks without refusals of this kind, whose cause is gone."""
        return ModelBlocks({block.subject: block for block in self if block.code != code})

    def with_block(self, block: ModelBlock, now: datetime) -> "ModelBlocks":
        """Return the blocks with this one, and without those that are too old or too many."""
        known = {each.subject: each for each in self if not each.is_forgotten(now)}
        known[block.subject] = block
        latest = sorted(known.values(), key=lambda each: each.refused_at)[-MOST_MODELS:]
        return ModelBlocks({each.subject: each for each in latest})


def after_refusal(blocks: ModelBlocks, fault: Fault, sent: SubmitRef, now: datetime) -> ModelBlock:
    """Return the subject's block after one more refusal.

    A refusal may be about one job's options, whatever its text names, so several different jobs are
    needed to block the model.
    """
    before = blocks.get(sent.subject)
    if before is None or before.is_forgotten(now):
        before = ModelBlock(
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


def after_pass(blocks: ModelBlocks, sent: SubmitRef) -> ModelBlocks:
    """Return the blocks after an accepted submit: its model is free.

    The key is not the cause of the other refusals. Returns the same object if nothing changes. A
    submit that was sent before a refusal says nothing about it.
    """
    after = {block.subject: passed(block, sent) for block in blocks}
    if all(after[block.subject] is block for block in blocks):
        return blocks
    return ModelBlocks({subject: block for subject, block in after.items() if block.refused})


def passed(block: ModelBlock, sent: SubmitRef) -> ModelBlock:
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


def is_the_job(blocks: ModelBlocks, fault: Fault, sent: SubmitRef) -> bool:
    """Return whether the job was refused before while others of its provider passed with this key.

    Then the key is not the cause. A temporary problem of the upstream is no such refusal.
    """
    block = blocks.get(sent.subject)
    refused_again = block is not None and sent.job_id in block.refused and block.provider_passed
    return isinstance(fault, AccountBlocked) and refused_again


def is_contradicted(blocks: ModelBlocks, sent: SubmitRef) -> bool:
    """Return whether jobs of other models have passed with this key since this one was refused."""
    block = blocks.get(sent.subject)
    return block is not None and block.others_passed


def is_whole_key(blocks: ModelBlocks, now: datetime) -> bool:
    """Return whether so many models are refused without being named that the key is the cause."""
    refused = [block for block in blocks.held(now) if not block.is_named]
    return sum(not block.others_passed for block in refused) >= MODELS_TO_BLOCK


def appended(job_ids: tuple[str, ...], job_id: str) -> tuple[str, ...]:
    return (*(each for each in job_ids if each != job_id), job_id)[-MOST_JOBS:]
