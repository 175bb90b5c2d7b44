"""The outcome of a demonstration job and its problems. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.local.demo_jobs import DemoJob


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """Result of fetching an asset's URL."""

    url: str
    #: `image`, `video` …
    kind: str
    #: Why it cannot be fetched; None if it can.
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutcome:
    """One job of the demonstration at its end."""

    demo_job: DemoJob
    #: The job document last returned by the API.
    job: dict[str, Any]
    files: Sequence[FileCheck] = ()
    #: Type of the verified webhook such as `job.succeeded`; None if none arrived.
    webhook_event: str | None = None
    #: Number of tasks the sandbox charged for this job.
    paid: int = 0

    @property
    def job_id(self) -> str:
        return str(self.job["id"])

    @property
    def state(self) -> str:
        return str(self.job["state"])

    @property
    def reason(self) -> str:
        """The API's reason for the state; empty if there is none."""
        error: dict[str, Any] = self.job.get("error") or {}
        return str(error.get("message") or self.job.get("reason") or "")

    @property
    def ended_as_expected(self) -> bool:
        return self.state == self.demo_job.expected

    @property
    def seconds(self) -> float | None:
        """Seconds from submission to the end."""
        if not self.job.get("finished_at"):
            return None
        created, finished = (
            datetime.fromisoformat(str(self.job[name])) for name in ("created_at", "finished_at")
        )
        return (finished - created).total_seconds()

    def problems(self) -> Iterator[str]:
        """Yield each deviation from the expectation as a sentence."""
        name = f"{self.job_id} ({self.demo_job.type}, {self.demo_job.title})"
        if not self.ended_as_expected:
            reason = f": {self.reason}" if self.reason else ""
            yield f"{name} is {self.state} and should have {self.demo_job.expected}{reason}"
        if self.webhook_event is None:
            yield f"{name}: no webhook with a valid signature arrived"
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
