"""Follow one job while it runs: its events arrive as server-sent events.

`Client.stream` starts with the events so far, reconnects where a connection breaks, and ends with
the job.
"""

import genq

with genq.Client() as client:
    job = client.submit("suno.music", {"gpt_description_prompt": "a calm sea shanty"})
    print(f"submitted {job.id}")
    for event in client.stream(job.id):
        progress = event.data.get("progress")
        print(event.type, f"{progress} %" if progress is not None else "", flush=True)
    for asset in client.get(job.id).assets:
        print(f"{asset.role} {asset.url}")
