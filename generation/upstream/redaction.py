"""
Removes a station's secrets from its answers.

It is done once, to the bytes of the answer and before anything reads them, so that no error
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
SHORTEST_SECRET = 6


def redacted(reply: Reply, secrets: Iterable[str]) -> Reply:
    """The reply with `HIDDEN` for each secret, also where JSON or a URL has escaped it."""
    body = reply.body
    for secret in secrets:
        for spelling in spellings(secret) if len(secret) >= SHORTEST_SECRET else ():
            body = body.replace(spelling, HIDDEN.encode())
    return reply if body == reply.body else replace(reply, body=body)


@lru_cache(maxsize=1024)
def spellings(secret: str) -> frozenset[bytes]:
    """How a text can stand in an answer: plain, in a JSON string, and in a URL."""
    in_json = json.dumps(secret)[1:-1]
    written = {secret, in_json, in_json.replace("/", "\\/"), quote(secret, safe="")}
    return frozenset(each.encode() for each in written)
