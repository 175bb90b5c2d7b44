"""Idempotency keys: what a repetition of a submission is recognised by."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import cast

from api.http.problem_types import IDEMPOTENCY_KEY_BUSY, IDEMPOTENCY_KEY_REUSED
from api.http.problems import Problem
from api.http.timestamps import MAX_DEADLINE
from api.jobs.request_headers import SubmitHeaders
from generation.lifecycle import AFTERLIFE
from generation.store import IdempotencyKey, KeyScope

#: Larger whole numbers are exact as integers only.
EXACT = 2**53
#: Created once: `json.dumps` creates an encoder for each call with other options than its defaults.
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

#: A key is kept for at least this long after its job has ended for good.
KEPT_FOR = timedelta(days=7)
#: No job ends later than this after its creation.
MAX_JOB_LIFETIME = MAX_DEADLINE + AFTERLIFE
#: Without a key, an equal body of a client that repeats requests is a repetition for this long.
GUESS_REPEATS_FOR = timedelta(seconds=120)


def fingerprint(body: object) -> str:
    """Return the SHA-256, in hexadecimal, of a JSON value in a canonical form.

    Names are sorted, there is no white space, and whole numbers have no point. As with RFC 8785,
    equal values have equal forms; unlike it, the standard library's encoder writes the form, in a
    seventh of the time, and every integer has one. The form is never shown to a caller.
    """
    form = ENCODER.encode(with_whole_numbers(body))
    return hashlib.sha256(form.encode()).hexdigest()


def with_whole_numbers(value: object) -> object:
    """Return the value with `5.0` as `5`: JSON has one kind of number."""
    if isinstance(value, dict):
        entries = cast(dict[str, object], value)
        return {name: with_whole_numbers(entry) for name, entry in entries.items()}
    if isinstance(value, list):
        return [with_whole_numbers(entry) for entry in cast(list[object], value)]
    if isinstance(value, float) and abs(value) < EXACT and value.is_integer():
        return int(value)
    return value


def idempotency_key(
    headers: SubmitHeaders,
    tenant: str,
    scope: KeyScope,
    body: object,
    now: datetime,
    *,
    guess: bool,
) -> IdempotencyKey | None:
    """Return the key of this submission, or None; then no fingerprint is computed.

    With `guess`, one job from a client that repeats requests by itself, and sends no key, is
    recognised by its body.
    """
    if headers.key is not None:
        return IdempotencyKey(
            tenant=tenant,
            scope=scope,
            value=headers.key,
            fingerprint=fingerprint(body),
            expires_at=now + MAX_JOB_LIFETIME + KEPT_FOR,
        )
    if headers.is_repeat is None or not guess or scope is not KeyScope.JOB:
        return None
    value = fingerprint(body)
    return IdempotencyKey(
        tenant=tenant,
        scope=KeyScope.RETRY,
        value=value,
        fingerprint=value,
        expires_at=now + GUESS_REPEATS_FOR,
        replaces=not headers.is_repeat,
    )


def client_id_key(client_id: str, tenant: str, body: object) -> IdempotencyKey:
    """Return the key of a job with a client id. It is kept as long as the job."""
    return IdempotencyKey(
        tenant=tenant,
        scope=KeyScope.CLIENT_ID,
        value=client_id,
        fingerprint=fingerprint(body),
        expires_at=None,
    )


def reused_problem(key: IdempotencyKey) -> Problem:
    what = "this client id" if key.scope is KeyScope.CLIENT_ID else "this Idempotency-Key"
    return Problem(
        IDEMPOTENCY_KEY_REUSED,
        f"{what} was used for an order with another body; use a new one for a new order",
    )


def busy_problem() -> Problem:
    return Problem(
        IDEMPOTENCY_KEY_BUSY,
        "an order with this key is being stored; ask again in a second",
        headers={"Retry-After": "1"},
    )
