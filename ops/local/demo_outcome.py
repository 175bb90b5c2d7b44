"""What came of an order of the demonstration, and what is wrong with that. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.local.demo_jobs import DemoJob


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """A finished file, fetched from its URL."""

    url: str
    #: `image`, `video` …
    kind: str
    #: Why it cannot be had; None where it can.
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutcome:
    """One job of the demonstration at its end."""

    demo_job: DemoJob
    #: The job as the API last showed it.
    job: dict[str, Any]
    files: Sequence[FileCheck] = ()
    #: The verified webhook's type, as `job.succeeded`; None where none came.
    webhook_event: str | None = None
    #: How many tasks of this job the sandbox has charged.
    paid: int = 0

    @property
    def job_id(self) -> str:
        return str(self.job["id"])

    @property
    def state(self) -> str:
        return str(self.job["state"])

    @property
    def reason(self) -> str:
        """Why it is where it is, in the API's words; empty where there is nothing to say."""
        error: dict[str, Any] = self.job.get("error") or {}
        return str(error.get("message") or self.job.get("reason") or "")

    @property
    def ended_as_expected(self) -> bool:
        return self.state == self.demo_job.expected

    @property
    def seconds(self) -> float | None:
        """From the order's acceptance to its end."""
        if not self.job.get("finished_at"):
            return None
        created, finished = (
            datetime.fromisoformat(str(self.job[name])) for name in ("created_at", "finished_at")
        )
        return (finished - created).total_seconds()

    def problems(self) -> Iterator[str]:
        """What is not as it should be, in sentences for a person."""
        name = f"{self.job_id} ({self.demo_job.type}, {self.demo_job.title})"
        if not self.ended_as_expected:
            reason = f": {self.reason}" if self.reason else ""
            yield f"{name} is {self.state} and should have {self.demo_job.expected}{reason}"
        if self.webhook_event is None:
            yield f"{name}: no webhook with a good signature arrived"
        elif self.webhook_event != f"job.{self.state}":
            yield f"{name} is {self.state}, and its webhook says {self.webhook_event}"
        due = 0 if self.demo_job.expects_failure else 1
        if self.paid != due:
            yield f"{name} was paid {self.paid} times and should have been {due} times"
        if self.ended_as_expected and not self.demo_job.expects_failure and not self.files:
            yield f"{name} has no file"
        for file in self.files:
            if file.fault:
                yield f"{name}: {file.url} cannot be fetched: {file.fault}"
