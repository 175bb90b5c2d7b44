"""
A receiver of genq's webhooks: FastAPI and standardwebhooks.

    pip install fastapi uvicorn standardwebhooks
    GENQ_WEBHOOK_SECRET=whsec_… uvicorn receiver:app --port 9999
"""

import os
import sqlite3
from typing import Any

from fastapi import BackgroundTasks, FastAPI, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["GENQ_WEBHOOK_SECRET"])
database = sqlite3.connect(os.environ.get("RECEIVER_DB", "receiver.db"), check_same_thread=False)
database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY)")
app = FastAPI()


@app.post("/hooks/genq")
async def receive(request: Request, background: BackgroundTasks) -> Response:
    body = await request.body()  # the raw bytes: they are what is signed
    try:
        event: Any = webhook.verify(body, dict(request.headers))
    except (WebhookVerificationError, ValueError):  # a malformed header is a ValueError
        return Response(status_code=401)
    if is_new(event["id"]):
        background.add_task(work, event)  # answer first, work afterwards
    return Response(status_code=204)


def is_new(event_id: str) -> bool:
    """The same event may come twice. The database decides, however many processes receive."""
    with database:
        inserted = database.execute("INSERT OR IGNORE INTO events VALUES (?)", (event_id,))
    return inserted.rowcount == 1


def work(event: dict[str, Any]) -> None:
    job = event["data"]
    print(event["type"], job["id"], [asset["url"] for asset in job["assets"]], flush=True)
