"""The plain stack: what a good developer writes from the tutorials in an afternoon.

FastAPI with a pydantic body, a SQLAlchemy session and a commit per request, and `task.delay()`. The
same durability as genq: SQLite with synchronous=FULL, PostgreSQL with synchronous_commit on.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

from celery import Celery
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import JSON, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["PLAIN_DATABASE_URL"])
sessions = async_sessionmaker(engine, expire_on_commit=False)
celery: Any = Celery("plain", broker=os.environ["PLAIN_REDIS_URL"])


class Base(DeclarativeBase):
    """The declarative base."""

    pass


class PlainJob(Base):
    """The table of jobs."""

    __tablename__ = "plain_jobs"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    operation: Mapped[str]
    input: Mapped[dict[str, Any]] = mapped_column(JSON)
    webhook: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(index=True)


class PlainJobRequest(BaseModel):
    """The request body."""

    provider: str
    operation: str
    input: dict[str, Any]
    webhook: dict[str, Any] | None = None


class PlainJobResponse(BaseModel):
    """The response body."""

    id: str
    state: str
    provider: str
    operation: str
    input: dict[str, Any]


def durable(connection: Any, record: Any) -> None:
    del record
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


if engine.dialect.name == "sqlite":
    event.listen(engine.sync_engine, "connect", durable)


@celery.task(name="plain.submit", ignore_result=True)
def submit(job_id: str) -> None:
    """Never runs: the benchmark ends when the job is accepted."""
    del job_id


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


@app.post("/v1/jobs", status_code=202)
async def create(
    order: PlainJobRequest, opened: Annotated[AsyncSession, Depends(session)]
) -> PlainJobResponse:
    job = PlainJob(id=str(uuid4()), state="queued", **order.model_dump())
    opened.add(job)
    await opened.commit()
    submit.delay(job.id)
    return PlainJobResponse(
        id=job.id,
        state=job.state,
        provider=job.provider,
        operation=job.operation,
        input=job.input,
    )


@app.get("/healthz")
async def health() -> dict[str, bool]:
    return {"ok": True}
