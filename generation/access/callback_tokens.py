"""Signed callback URLs.

A callback only nudges one job. Its URL holds the job's id and a signature over it, made with a
secret of the deployment. It cannot be guessed, a forged one is refused without a database query,
and nothing is stored per job. The posted body is not believed. It may name a task, for a job whose
submit was never answered; the upstream is then asked about that task.
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
#: The shortest time between two looks caused by callbacks.
APART = timedelta(seconds=5)
#: The name of the deployment's secret in the store.
SECRET_NAME = "callbacks"
#: Characters of the signature that are used: 192 bits.
SIGNATURE_LENGTH = 32

#: Names under which upstreams post their task id. The most specific come first, because a bare `id`
#: may be the id of something else.
ID_NAMES = ("task_id", "taskId", "request_id", "id")
IDS = re.compile(r"[A-Za-z0-9._:-]{1,300}")


def callback_url(public_url: str, job_id: str, secret: bytes) -> str:
    """Return the URL at which this job's upstream may call."""
    return f"{public_url}{PATH}/{token(job_id, secret)}"


def token(job_id: str, secret: bytes) -> str:
    return f"{job_id}.{signature(job_id, secret)}"


def job_called(token: str, secret: bytes) -> str | None:
    """Return the id of the job that the token was made for, or None if the token is invalid.

    Takes the same time for a wrong signature as for a right one.
    """
    job_id, _, given = token.partition(".")
    right = hmac.compare_digest(signature(job_id, secret).encode(), given.encode())
    return job_id if right else None


def signature(job_id: str, secret: bytes) -> str:
    digest = hmac.digest(secret, f"callback:{job_id}".encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode()[:SIGNATURE_LENGTH]


def task_named(body: bytes) -> str | None:
    """Return the upstream id that the posted body seems to name, or None.

    Anybody who knows the URL may have written the body.
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
    """Return an id as text; empty if it is no id, or would change the path it is put into."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if IDS.fullmatch(text) else ""
