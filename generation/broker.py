"""The broker's health, and the workers that report through it.

A broker can answer PING and still refuse every write: as a replica after a failover, or with a full
disk. So the check tries the commands that workers and submissions need.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from pydantic_core import from_json, to_json
from redis import exceptions
from redis.asyncio import Redis

from generation.celery_messages import BINDINGS_PREFIX, PRIORITY_SUFFIXES

PROBE_KEY = "genq.probe"
WORKERS_KEY = "genq.workers"
#: A worker that has not reported for this long is taken to have ended.
REPORT_LIFETIME = timedelta(seconds=60)

#: redis-py has a class for these errors and removes their code.
CODES: Mapping[type[Exception], str] = {
    exceptions.ReadOnlyError: "READONLY",
    exceptions.OutOfMemoryError: "OOM",
    exceptions.BusyLoadingError: "LOADING",
    exceptions.NoPermissionError: "NOPERM",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.AuthenticationError: "WRONGPASS",
}
ADVICE: Mapping[str, str] = {
    "READONLY": "it is a replica; point GENQ_REDIS_URL at the primary",
    "OOM": "its memory is full; raise maxmemory",
    "LOADING": "it is loading its data; wait",
    "NOPERM": "its user may not use genq's keys; correct the ACL",
    "MASTERDOWN": "it is a replica without its primary; point GENQ_REDIS_URL at the primary",
    "WRONGPASS": "the password or user in GENQ_REDIS_URL is wrong",
    "MISCONF": "it cannot save to its disk; see its log and free space",
    "WRONGTYPE": "a key of genq's queue holds another type; delete that key, nothing is lost",
}
#: The code at the beginning of an error.
LEADING_CODE = re.compile(r"[A-Z]{3,}\b")


@dataclass(frozen=True, slots=True)
class BrokerFault:
    """Why the broker cannot be used."""

    #: The first word of its error, such as `READONLY`; empty if it does not answer.
    code: str
    #: The whole error. It may contain the broker's address.
    error: str

    @property
    def advice(self) -> str:
        """What an operator can do. Contains nothing secret."""
        if not self.code:
            return "start Redis, or set GENQ_REDIS_URL"
        return ADVICE.get(self.code, "see its documentation and its log")

    def __str__(self) -> str:
        if not self.code:
            return f"the broker does not answer: {self.error}"
        return f"the broker answers {self.code}"


def fault_of(error: Exception) -> BrokerFault:
    """Return the fault behind an exception of a Redis client."""
    return BrokerFault(code_of(error), f"{type(error).__name__}: {error}")


def code_of(error: Exception) -> str:
    """Return the code that the broker answered; empty if it did not answer."""
    for kind, code in CODES.items():
        if isinstance(error, kind):
            return code
    if not isinstance(error, exceptions.ResponseError):
        return ""
    found = LEADING_CODE.match(str(error))
    return found[0] if found else "ERR"


async def find_fault(redis: "Redis", queue: str) -> BrokerFault | None:
    """Return None if the broker accepts the commands that genq needs. Never fails."""
    async with redis.pipeline(transaction=False) as probe:
        for suffix in PRIORITY_SUFFIXES:
            probe.llen(queue + suffix)
        probe.scard(BINDINGS_PREFIX + queue)
        probe.set(PROBE_KEY, "", ex=REPORT_LIFETIME)
        try:
            answers = await probe.execute(raise_on_error=False)
        except (exceptions.RedisError, OSError) as error:
            return fault_of(error)
    return next((fault_of(each) for each in answers if isinstance(each, Exception)), None)


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """A running worker, and the parts that Celery's remote control has switched off in it."""

    name: str
    switched_off: Sequence[str] = ()


async def save_report(redis: "Redis", worker: WorkerReport) -> None:
    """Store a report for `REPORT_LIFETIME`. Raises the Redis client's errors."""
    async with redis.pipeline(transaction=False) as pipeline:
        pipeline.sadd(WORKERS_KEY, worker.name)
        document = to_json(worker.switched_off)
        pipeline.set(f"{WORKERS_KEY}.{worker.name}", document, ex=REPORT_LIFETIME)
        await pipeline.execute()


async def load_reports(redis: "Redis") -> Sequence[WorkerReport]:
    """Return the stored reports, by name of worker. Raises the Redis client's errors."""
    members = await cast(Any, redis.smembers(WORKERS_KEY))
    names = sorted(name.decode() for name in members)
    if not names:
        return []
    stored = await redis.mget([f"{WORKERS_KEY}.{name}" for name in names])
    pairs = list(zip(names, stored, strict=True))
    if expired := [name for name, document in pairs if document is None]:
        await cast(Any, redis.srem(WORKERS_KEY, *expired))
    return [
        WorkerReport(name, tuple(from_json(document)))
        for name, document in pairs
        if document is not None
    ]
