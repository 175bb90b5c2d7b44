"""Removes a station's secrets from its answers.

This is done once, to the bytes of the answer and before anything reads them, so that no error
message, result, event, webhook, log line or stored answer can contain them.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote

from generation.contract.reply import Reply

HIDDEN = "•••"
#: A shorter secret would match ordinary text.
MIN_SECRET_CHARACTERS = 6


def redacted(reply: Reply, secrets: Iterable[str]) -> Reply:
    """Return the reply with `HIDDEN` for each secret, also where JSON or a URL has escaped it."""
    body = reply.body
    for secret in secrets:
        for form in encoded_forms(secret) if len(secret) >= MIN_SECRET_CHARACTERS else ():
            body = body.replace(form, HIDDEN.encode())
    return reply if body == reply.body else replace(reply, body=body)


@lru_cache(maxsize=1024)
def encoded_forms(secret: str) -> frozenset[bytes]:
    """Return the secret as plain text, as part of a JSON string, and percent-encoded."""
    in_json = json.dumps(secret)[1:-1]
    forms = {secret, in_json, in_json.replace("/", "\\/"), quote(secret, safe="")}
    return frozenset(form.encode() for form in forms)
