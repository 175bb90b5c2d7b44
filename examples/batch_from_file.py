"""Submit the jobs of a JSON Lines file as one batch, and wait until all of them have ended.

Usage: batch_from_file.py FILE Each line is a request as `POST /v1/jobs` takes it. A batch holds at
most 100 jobs.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import genq

POLL_SECONDS = 2

content = Path(sys.argv[1]).read_bytes()
requests = [json.loads(line) for line in content.splitlines() if line.strip()]

with genq.Client() as client:
    # The key is derived from the file: a second run finds the jobs of the first run.
    key = f"batch-{hashlib.sha256(content).hexdigest()[:32]}"
    batch = client.submit_batch(requests, idempotency_key=key)
    print(f"submitted {batch.id} with {batch.total} jobs")

    while not batch.done:
        time.sleep(POLL_SECONDS)
        batch = client.get_batch(batch.id)
        print(", ".join(f"{state} {count}" for state, count in batch.counts.items()), flush=True)

    for job in client.list(batch=batch.id):
        result = job.assets[0].url if job.assets else job.error and job.error.message
        print(f"{job.id} {job.operation} {job.state} {result}")
