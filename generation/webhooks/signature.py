"""Signatures of webhooks by Standard Webhooks, with shared secrets and with key pairs.

The event id, the timestamp and the body are signed, joined by dots. The body is signed and sent as
the same bytes, so its JSON formatting does not matter.

Specification: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from secrets import token_bytes

from generation.webhooks.asymmetric import SigningKey

PREFIX = "whsec_"
#: Bytes of a secret that genq makes.
NEW_SECRET_BYTES = 32
#: Bytes a secret may have, by the specification.
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64


def new_secret() -> str:
    """Return a new secret: `whsec_` and base64."""
    return PREFIX + b64encode(token_bytes(NEW_SECRET_BYTES)).decode()


def check_secret(secret: str) -> None:
    """Raise `ValueError`, without quoting the secret, if it is malformed, too short or too long."""
    size = len(_key(secret))
    if not MIN_SECRET_BYTES <= size <= MAX_SECRET_BYTES:
        raise ValueError(
            f"a webhook secret holds {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes after base64 "
            f"decoding; this one holds {size}"
        )


def sign(
    secrets: Sequence[str],
    event_id: str,
    timestamp: int,
    body: bytes,
    keys: Sequence[SigningKey] = (),
) -> str:
    """Return the `webhook-signature` header: one signature per secret, then one per key pair.

    A receiver accepts the request if any of them matches, so a replaced secret can go on signing.
    `timestamp` is in seconds, as in `webhook-timestamp`. Raises `ValueError` without secrets, for a
    malformed secret, and for an event id with a dot, which would make the signed text ambiguous.
    """
    if not secrets:
        raise ValueError("give at least one secret: an unsigned webhook cannot be trusted")
    if "." in event_id:
        raise ValueError(f"an event id contains no dot; choose another than {event_id!r}")
    content = f"{event_id}.{timestamp}.".encode() + body
    symmetric = [_signature(_key(secret), content) for secret in secrets]
    return " ".join([*symmetric, *(key.sign(content) for key in keys)])


def _signature(key: bytes, content: bytes) -> str:
    return "v1," + b64encode(hmac.digest(key, content, "sha256")).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise ValueError(f"a webhook secret begins with {PREFIX!r}; put it in front of the base64")
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # The cause would quote the secret in a traceback.
        raise ValueError(
            f"what follows {PREFIX!r} in a webhook secret is standard base64 with its padding"
        ) from None
    if not key:
        raise ValueError(f"nothing follows {PREFIX!r} in this webhook secret; make a new one")
    return key
