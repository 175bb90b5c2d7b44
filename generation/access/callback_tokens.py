"""
Where an upstream may call back, and what a call is worth: a nudge for one job, and nothing else.

The address carries the job's id and a signature over it, made with a secret of the deployment's
own. So it cannot be guessed, a forged one is refused without asking the database, and there is
nothing to store for each job. What is posted to it is never believed; at most it names a task, for
a job whose submit was never answered, and the upstream is then asked about that task.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from generation.contract.errors import UnrecognizedReply
from generation.contract.reply import Reply

PATH = "/v1/callbacks"
#: Looks that callbacks ask for are at least this far apart, however many callbacks come.
APART = timedelta(seconds=5)
#: The deployment's secret in the store.
SECRET_NAME = "callbacks"
#: Characters of the signature that are used: 192 bits.
SIGNATURE_LENGTH = 32

#: What upstreams call their task's id in what they post; the surest first, for a bare `id` may be
#: that of something else.
ID_NAMES = ("task_id", "taskId", "request_id", "id")
IDS = re.compile(r"[A-Za-z0-9._:-]{1,300}")


def callback_url(public_url: str, job_id: str, secret: bytes) -> str:
    """Where this job's upstream may call."""
    return f"{public_url}{PATH}/{token(job_id, secret)}"


def token(job_id: str, secret: bytes) -> str:
    return f"{job_id}.{signature(job_id, secret)}"


def job_called(token: str, secret: bytes) -> str | None:
    """
    The id of the job that a token was made for; None for any other text. Takes as long for a wrong
    signature as for a right one.
    """
    job_id, _, given = token.partition(".")
    right = hmac.compare_digest(signature(job_id, secret).encode(), given.encode())
    return job_id if right else None


def signature(job_id: str, secret: bytes) -> str:
    digest = hmac.digest(secret, f"callback:{job_id}".encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode()[:SIGNATURE_LENGTH]


def task_named(body: bytes) -> str | None:
    """
    The upstream id that what was posted seems to name; None where it names none. Anybody who knows
    the address may have written it.
    """
    try:
        posted = Reply(200, body).object()
    except UnrecognizedReply:
        return None
    data = posted.get("data")
    places = [posted, cast(Mapping[str, Any], data)] if isinstance(data, dict) else [posted]
    found = (id_of(place.get(name)) for place in places for name in ID_NAMES)
    return next((name for name in found if name), None)


def id_of(value: Any) -> str:
    """An id as text; empty for what can be none, or would be another path."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if IDS.fullmatch(text) else ""
