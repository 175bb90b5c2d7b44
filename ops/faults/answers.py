"""Ambiguous answers of a station while its task exists and is paid.

They are replies that prove nothing, absurd advice, and a clock that is wrong.
"""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate, parsedate_to_datetime
from random import Random

#: What relays say with a 5xx after their upstream has taken the task.
AMBIGUOUS = (
    (500, "insert_task_failed", "Error 1040: Too many connections"),
    (500, "insert_task_failed", "pq: sorry, too many clients already"),
    (
        500,
        "insert_task_failed",
        "Error 1020: Record has changed since last read (concurrent update)",
    ),
    (500, "insert_task_failed", "write /data/one-api.db: Disk quota exceeded"),
    (500, "copy_response_body_failed", "write tcp: broken pipe"),
    (500, "read_response_body_failed", "unexpected EOF"),
    (500, "unmarshal_response_body_failed", "invalid character '<' looking for beginning of value"),
    (500, "do_request_failed", "context deadline exceeded"),
    (500, "post_consume_quota_failed", "Error 1205: Lock wait timeout exceeded"),
    (503, "insert_task_failed", "数据库连接过多,请稍后再试"),
    (504, "", "upstream request timeout"),
)
#: Retry-After of a proxy in front of a station, in seconds and as a date.
ABSURD_PAUSES = ("86400", "31536000", "Fri, 31 Dec 2066 23:59:59 GMT")

DATE = re.compile(rb"(?i)(\r\ndate: )([^\r]{29})(?=\r\n)")
#: Task times are milliseconds since 1970; ids have more digits.
MILLISECONDS = re.compile(rb"(?<!\d)1[6-9]\d{11}(?!\d)")


def reply(status: int, document: object, *headers: str) -> bytes:
    """A whole HTTP answer in JSON, after which the connection ends."""
    body = json.dumps(document, ensure_ascii=False).encode()
    head = [f"HTTP/1.1 {status} X", "content-type: application/json", *headers]
    head += [f"content-length: {len(body)}", "connection: close", "", ""]
    return "\r\n".join(head).encode() + body


def ambiguous(jitter: Random) -> bytes:
    """A 5xx to a submit from which nobody can tell whether the task exists."""
    status, code, message = jitter.choice(AMBIGUOUS)
    return reply(status, {"code": code, "message": message, "data": None})


def absurd_pause(jitter: Random) -> bytes:
    """A 429 to a look that asks for a pause of a day or more."""
    error = {"error": {"message": "Too many requests", "type": "rate_limit", "code": "429"}}
    return reply(429, error, f"retry-after: {jitter.choice(ABSURD_PAUSES)}")


def other_clock(off: timedelta) -> Callable[[bytes], bytes]:
    """Rewrites answers as if the station's clock were off: its `Date` and its tasks' times."""
    milliseconds = int(off.total_seconds() * 1000)

    def moved_date(found: "re.Match[bytes]") -> bytes:
        right = parsedate_to_datetime(found[2].decode())
        return found[1] + formatdate((right + off).timestamp(), usegmt=True).encode()

    def rewrite(chunk: bytes) -> bytes:
        chunk = DATE.sub(moved_date, chunk)
        return MILLISECONDS.sub(lambda found: str(int(found[0]) + milliseconds).encode(), chunk)

    return rewrite
