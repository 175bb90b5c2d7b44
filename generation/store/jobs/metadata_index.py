"""The metadata index: one row for each name with its value."""

import hashlib

from generation.job import Job

Row = dict[str, str]


def label(name: str, value: str) -> str:
    """Return 96 bits that stand for the entry, because values may be long."""
    entry = f"{len(name)}:{name}={value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(entry, digest_size=12).hexdigest()


def label_rows(job: Job) -> list[Row]:
    """Return the index rows of a new job."""
    return [
        {"tenant": job.tenant, "label": label(name, value), "job_id": job.id}
        for name, value in job.metadata.items()
    ]
