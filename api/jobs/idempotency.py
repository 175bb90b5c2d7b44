"""
Orders that are sent twice: what stands for an order, so that its repetition is known.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import cast

from api.http.deadline import LONGEST
from api.http.problem_types import IDEMPOTENCY_KEY_BUSY, IDEMPOTENCY_KEY_REUSED
from api.http.problems import Problem
from api.jobs.request_headers import Wishes
from generation.lifecycle import AFTERLIFE
from generation.store import IdempotencyKey, KeyScope

#: Larger whole numbers are exact as integers only.
EXACT = 2**53
#: Made once: `json.dumps` makes one for each call that is not by its defaults.
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def fingerprint(body: object) -> str:
    """
    SHA-256, in hexadecimal, of a JSON value in a form of its own: names sorted, no white space,
    whole numbers without a point. Equal values have equal forms, as with RFC 8785; unlike that one
    it is written by the standard library's encoder, which takes a seventh of the time, and it has a
    form for every integer. Nobody else ever sees it.
    """
    form = ENCODER.encode(whole(body))
    return hashlib.sha256(form.encode()).hexdigest()


def whole(value: object) -> object:
    """The value with `5.0` as `5`: JSON has one kind of number."""
    if isinstance(value, dict):
        entries = cast(dict[str, object], value)
        return {name: whole(entry) for name, entry in entries.items()}
    if isinstance(value, list):
        return [whole(entry) for entry in cast(list[object], value)]
    if isinstance(value, float) and abs(value) < EXACT and value.is_integer():
        return int(value)
    return value


#: After its job has ended, for good, a key is kept for this long at least.
KEPT = timedelta(days=7)
#: No job ends later than this after it was ordered.
LONGEST_LIFE = LONGEST + AFTERLIFE
#: Without a key, an equal order is taken for a repetition this long, if its client repeats at all.
SAME_AGAIN = timedelta(seconds=120)


class Repeats:
    """Finds out what an order is known by. `guess` is whether clients that repeat are guarded."""

    def __init__(self, guess: bool) -> None:
        self._guess = guess

    def key(
        self, wishes: Wishes, tenant: str, scope: KeyScope, body: object, now: datetime
    ) -> IdempotencyKey | None:
        """The key of this order; None where nothing asks for one, and that costs nothing."""
        if wishes.key is not None:
            return IdempotencyKey(
                tenant=tenant,
                scope=scope,
                value=wishes.key,
                fingerprint=fingerprint(body),
                expires_at=now + LONGEST_LIFE + KEPT,
            )
        if wishes.again is None or not self._guess or scope is not KeyScope.JOB:
            return None
        order = fingerprint(body)
        return IdempotencyKey(
            tenant=tenant,
            scope=KeyScope.RETRY,
            value=order,
            fingerprint=order,
            expires_at=now + SAME_AGAIN,
            replaces=not wishes.again,
        )


def named_key(client_id: str, tenant: str, body: object) -> IdempotencyKey:
    """The key of an order under a caller's own name: kept for as long as its job."""
    return IdempotencyKey(
        tenant=tenant,
        scope=KeyScope.CLIENT_ID,
        value=client_id,
        fingerprint=fingerprint(body),
        expires_at=None,
    )


def reused(key: IdempotencyKey) -> Problem:
    what = "this client id" if key.scope is KeyScope.CLIENT_ID else "this Idempotency-Key"
    return Problem(
        IDEMPOTENCY_KEY_REUSED,
        f"{what} was used for an order with another body; use a new one for a new order",
    )


def busy() -> Problem:
    return Problem(
        IDEMPOTENCY_KEY_BUSY,
        "an order with this key is being stored; ask again in a second",
        headers={"Retry-After": "1"},
    )
