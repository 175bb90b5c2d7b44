"""
Where an upstream may call back, and what a call is worth: a nudge for one job, and nothing else.

The address carries the job's id and a signature over it, made with a secret of the deployment's
own. So it cannot be guessed, a forged one is refused without asking the database, and there is
nothing to store for each job. What is posted to it is never believed.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import timedelta

PATH = "/v1/callbacks"
#: Looks that callbacks ask for are at least this far apart, however many callbacks come.
APART = timedelta(seconds=5)
#: The deployment's secret in the store.
SECRET_NAME = "callbacks"
#: Characters of the signature that are used: 192 bits.
SIGNATURE_LENGTH = 32


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
