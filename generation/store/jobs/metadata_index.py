"""
Metadata as labels, by which jobs are found: one for each name with its value.
"""

import hashlib

from generation.job import Job

Row = dict[str, str]


def label(name: str, value: str) -> str:
    """96 bits that stand for the entry: values may be long, and an index is not the place."""
    entry = f"{len(name)}:{name}={value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(entry, digest_size=12).hexdigest()


def label_rows(job: Job) -> list[Row]:
    """The labels of a new job."""
    return [
        {"tenant": job.tenant, "label": label(name, value), "job_id": job.id}
        for name, value in job.metadata.items()
    ]
