"""Tokens that open the stream of one job for an hour.

A browser's `EventSource` cannot send headers, and an API key does not belong in a URL. A token
names the API key it was issued to and is signed with a secret of the deployment. Nothing is stored,
and a token is invalid once its key is revoked.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=1)
#: The name of the deployment's secret in the store.
SECRET_NAME = "streams"
#: Characters of the signature that are used: 192 bits.
SIGNATURE_LENGTH = 32

_TOKEN = re.compile(r"(key_[0-9A-Z]{1,36})\.([0-9]{1,12})\.([A-Za-z0-9_-]{32})")


def stream_token(job_id: str, key_id: str, expires_at: datetime, secret: bytes) -> str:
    """Return a token that opens this job's stream for this API key.

    `expires_at` has whole seconds.
    """
    expires = int(expires_at.timestamp())
    return f"{key_id}.{expires}.{signature(job_id, key_id, expires, secret)}"


def key_of(token: str, job_id: str, now: datetime, secret: bytes) -> str | None:
    """Return the id of the token's API key; None if the token does not open this stream now."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    key_id, expires, given = found[1], int(found[2]), found[3]
    right = hmac.compare_digest(signature(job_id, key_id, expires, secret), given)
    return key_id if right and now.timestamp() < expires else None


def signature(job_id: str, key_id: str, expires: int, secret: bytes) -> str:
    text = f"stream:{job_id}:{key_id}:{expires}"
    digest = hmac.digest(secret, text.encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode()[:SIGNATURE_LENGTH]
