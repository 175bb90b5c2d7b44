"""
The broker's health: what it answers to the commands that genq needs, and which workers report.

A broker can answer PING and still refuse every write: as a replica after a failover, or with a full
disk. So the check tries what a worker and an order do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from pydantic_core import from_json, to_json
from redis import exceptions
from redis.asyncio import Redis

#: kombu keeps a queue in one list for each of these priorities.
PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")
#: And the queue's bindings in a set of this name.
BINDINGS = "_kombu.binding."
PROBE = "genq.probe"
WORKERS = "genq.workers"
#: A worker that has not reported for this long is taken for ended.
REPORT_LASTS = timedelta(seconds=60)

#: redis-py replaces the code of these errors by a class.
CLASSES: Mapping[type[Exception], str] = {
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
#: Where an error begins with a code.
CODE = re.compile(r"[A-Z]{3,}\b")


@dataclass(frozen=True, slots=True)
class BrokerFault:
    """Why the broker cannot be used."""

    #: The first word of its error, as `READONLY`; empty where it does not answer.
    code: str
    #: The whole error. It may name the broker's address.
    error: str

    @property
    def advice(self) -> str:
        """What to do, for everybody to read."""
        if not self.code:
            return "start Redis, or set GENQ_REDIS_URL"
        return ADVICE.get(self.code, "see its documentation and its log")

    def __str__(self) -> str:
        if not self.code:
            return f"the broker does not answer: {self.error}"
        return f"the broker answers {self.code}"


def fault_of(error: Exception) -> BrokerFault:
    """The fault that this error of a Redis client stands for."""
    return BrokerFault(code_of(error), f"{type(error).__name__}: {error}")


def code_of(error: Exception) -> str:
    """The code a broker answered; empty where it did not answer."""
    for kind, code in CLASSES.items():
        if isinstance(error, kind):
            return code
    if not isinstance(error, exceptions.ResponseError):
        return ""
    found = CODE.match(str(error))
    return found[0] if found else "ERR"


async def find_fault(redis: "Redis", queue: str) -> BrokerFault | None:
    """None if the broker takes what genq sends it. Raises nothing that a Redis client raises."""
    async with redis.pipeline(transaction=False) as probe:
        for priority in PRIORITIES:
            probe.llen(queue + priority)
        probe.scard(BINDINGS + queue)
        probe.set(PROBE, "", ex=REPORT_LASTS)
        try:
            answers = await probe.execute(raise_on_error=False)
        except (exceptions.RedisError, OSError) as error:
            return fault_of(error)
    return next((fault_of(each) for each in answers if isinstance(each, Exception)), None)


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """A worker that runs, and what Celery's remote control has switched off in it."""

    name: str
    switched_off: Sequence[str] = ()


async def report(redis: "Redis", worker: WorkerReport) -> None:
    """Store the report for a minute. Raises what a Redis client raises."""
    async with redis.pipeline(transaction=False) as together:
        together.sadd(WORKERS, worker.name)
        together.set(f"{WORKERS}.{worker.name}", to_json(worker.switched_off), ex=REPORT_LASTS)
        await together.execute()


async def reports(redis: "Redis") -> Sequence[WorkerReport]:
    """The reports of the last minute, by name. Raises what a Redis client raises."""
    members = await cast(Any, redis.smembers(WORKERS))
    names = sorted(name.decode() for name in members)
    if not names:
        return []
    stored = await redis.mget([f"{WORKERS}.{name}" for name in names])
    pairs = list(zip(names, stored, strict=True))
    if gone := [name for name, document in pairs if document is None]:
        await cast(Any, redis.srem(WORKERS, *gone))
    return [
        WorkerReport(name, tuple(from_json(document)))
        for name, document in pairs
        if document is not None
    ]
