"""The explanation of a job, as text for people and as data for programs."""

from generation.explain.explanation import explanation_document
from generation.explain.job_history import AttemptSummary, DeliverySummary, JobHistory, RecordedMove

__all__ = [
    "AttemptSummary",
    "DeliverySummary",
    "JobHistory",
    "RecordedMove",
    "explanation_document",
]
