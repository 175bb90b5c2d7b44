"""Submit one job, wait for its end, and print its assets."""

import sys

import genq

PROMPT = "a paper boat on a rough sea"

with genq.Client() as client:
    # The call returns once the job is stored. The client sends an idempotency key with every
    # submission and repeats it while the API is away, so a lost response does not order twice.
    job = client.submit(
        "kling.text2video",
        {"prompt": PROMPT, "duration": 5},
        metadata={"source": "example"},
        deadline="30m",
    )
    print(f"submitted {job.id}")

    job = client.wait(job.id)
    if not job.succeeded:
        sys.exit(f"{job.state}: {job.error.message if job.error else job.reason}")
    for asset in job.assets:
        print(f"{asset.role} {asset.type} {asset.url}")
