"""The plain webhook sender: reads due rows, posts them with httpx, stores the result.

`python -m ops.bench.plain_deliveries URL COUNT`, with PLAIN_DATABASE_URL, sends COUNT signed
deliveries to the URL, a hundred at a time, and prints seconds and CPU seconds.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from time import perf_counter, process_time

import httpx
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BATCH = 100

metadata = MetaData()
owed = Table(
    "plain_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("status", Integer),
)


async def prepared(url: str, count: int, body: bytes) -> AsyncEngine:
    engine = create_async_engine(os.environ["PLAIN_DATABASE_URL"])
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        row = {"url": url, "body": body, "state": "queued"}
        await connection.execute(insert(owed), [row] * count)
    return engine


async def deliver(engine: AsyncEngine, client: httpx.AsyncClient, webhook: Webhook) -> int:
    """Send one batch; return its size."""
    async with engine.connect() as connection:
        query = select(owed).where(owed.c.state == "queued").order_by(owed.c.id).limit(BATCH)
        rows = (await connection.execute(query)).all()

    async def send(row_id: int, url: str, body: bytes) -> dict[str, int]:
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": f"evt_{row_id}",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": webhook.sign(f"evt_{row_id}", now, body.decode()),
        }
        response = await client.post(url, content=body, headers=headers)
        return {"row": row_id, "status": response.status_code}

    sent = await asyncio.gather(*(send(row.id, row.url, row.body) for row in rows))
    async with engine.begin() as connection:
        for each in sent:
            done = update(owed).where(owed.c.id == each["row"])
            await connection.execute(done.values(state="delivered", status=each["status"]))
    return len(sent)


async def main(url: str, count: int) -> None:
    body = json.dumps({"type": "job.succeeded", "data": {"text": "x" * 1200}}).encode()
    engine = await prepared(url, count, body)
    webhook = Webhook(SECRET)
    async with httpx.AsyncClient(timeout=15) as client:
        began, cpu = perf_counter(), process_time()
        while await deliver(engine, client, webhook):
            pass
    took = {"seconds": perf_counter() - began, "cpu": process_time() - cpu}
    await engine.dispose()
    print(json.dumps(took))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
