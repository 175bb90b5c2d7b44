"""Celery's and kombu's wire formats, as far as genq writes or reads them without Celery.

Nothing here is a public interface of Celery or kombu, which are pinned for that reason; the formats
are compared with Celery's own output in `tests/integration/test_queue.py`. Celery's own way of
sending a message costs half a millisecond and a round trip each.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import getrandbits
from typing import Any, cast

from celery import Celery
from celery.utils.time import utcoffset
from pydantic_core import to_json

#: kombu keeps a queue in one list for each of these priorities: suffixes of the queue's name.
PRIORITY_SUFFIXES = ("", "\x06\x163", "\x06\x166", "\x06\x169")
#: kombu keeps the bindings of a queue in a set of this name, followed by the queue's.
BINDINGS_PREFIX = "_kombu.binding."


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One Celery message, ready for its queue."""

    queue: str
    body: str
    #: Taken before all others that wait in the queue.
    is_first: bool = False


def task_message(
    queue: str, task: str, task_id: str, args: Sequence[Any], args_shown: str
) -> QueueMessage:
    """Return a task in Celery's message protocol 2 and kombu's envelope for Redis.

    Most of it is the same every time, so it is put together of prepared parts.
    """
    body = base64.b64encode(b"[%b,{},%b]" % (to_json(args), EMBED)).decode()
    name, ident, shown, to = (to_json(text).decode() for text in (task, task_id, args_shown, queue))
    # Unique among unacknowledged messages, however often one task is sent.
    tag = f"{task_id}.{getrandbits(64):x}"
    return QueueMessage(
        queue,
        f'{{"body":"{body}","content-encoding":"utf-8","content-type":"application/json",'
        f'"headers":{{"task":{name},"id":{ident},"root_id":{ident},"argsrepr":{shown},{HEADERS},'
        f'"properties":{{"correlation_id":{ident},"argsrepr":{shown},"delivery_tag":"{tag}",'
        f'"delivery_info":{{"exchange":"","routing_key":{to}}},{PROPERTIES}}}',
    )


def event_message(events: Sequence[Mapping[str, Any]], database: int) -> tuple[str, str]:
    """Return the Redis channel of Celery's event listeners, and these events as one message."""
    body = base64.b64encode(to_json(events)).decode()
    return (
        f"/{database}.celeryev/task.multi",
        f'{{"body":"{body}",{EVENT_PROPERTIES},"delivery_tag":"{getrandbits(64):x}"}}}}',
    )


class EventStamp:
    """Adds the fields that Celery's workers put into every event."""

    def __init__(self, app: Celery, hostname: str, process_id: int) -> None:
        self._clock = cast(Any, app).clock
        self._sender = {"hostname": hostname, "pid": process_id}

    def stamped(self, kind: str, fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        return {
            **fields,
            **self._sender,
            "type": kind,
            "utcoffset": utcoffset(),
            "timestamp": now.timestamp(),
            "clock": self._clock.forward(),
        }


EMBED = to_json({"callbacks": None, "errbacks": None, "chain": None, "chord": None})
#: The rest of an object, without its opening brace.
HEADERS = to_json(
    {
        "lang": "py",
        "shadow": None,
        "eta": None,
        "expires": None,
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "parent_id": None,
        "kwargsrepr": "{}",
        "origin": "genq",
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }
).decode()[1:]
PROPERTIES = to_json(
    {
        "reply_to": "",
        "kwargsrepr": "{}",
        "delivery_mode": 2,
        "priority": 0,
        "body_encoding": "base64",
    }
).decode()[1:]
EVENT_PROPERTIES = (
    '"content-encoding":"utf-8","content-type":"application/json","headers":{},"properties":'
    '{"delivery_mode":1,"delivery_info":{"exchange":"celeryev","routing_key":"task.multi"},'
    '"priority":0,"body_encoding":"base64"'
)
