"""API keys and signed tokens: whether they are valid, before any protocol renders a response."""

from collections.abc import Mapping
from enum import StrEnum

import jwt

from ops.sandbox.config import SandboxConfig


class KeyState(StrEnum):
    """The state of a key."""

    GOOD = "good"
    MISSING = "missing"  #: no key was sent
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    NO_CREDIT = "no_credit"  #: may look, may not submit

    def passes(self, *, submits: bool) -> bool:
        """Whether a caller with this key may submit, or only poll."""
        return self is KeyState.GOOD or (self is KeyState.NO_CREDIT and not submits)


def key_state_of(key: str, config: SandboxConfig) -> KeyState:
    """The state that the settings give a key."""
    if not key:
        return KeyState.MISSING
    if key in config.blocked_keys:
        return KeyState.BLOCKED
    if key in config.no_credit_keys:
        return KeyState.NO_CREDIT
    known = not config.accepted_keys or key in config.accepted_keys
    return KeyState.GOOD if known else KeyState.UNKNOWN


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token after `Bearer` in the Authorization header; "" without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class TokenFault(StrEnum):
    """The reason why a token signed with an AccessKey's SecretKey is not valid."""

    MALFORMED = "malformed"  #: not a token, claims missing, or an unknown AccessKey
    FORGED = "forged"  #: signed with another secret
    EARLY = "early"
    EXPIRED = "expired"


def is_signed_token(token: str) -> bool:
    """Whether a bearer token is a JWT rather than a plain key."""
    return token.startswith("eyJ") and token.count(".") == 2


def access_key_of(token: str, secrets: Mapping[str, str]) -> str | TokenFault:
    """The AccessKey (`iss`) that signed an HS256 token.

    Times are checked by real time, without leeway.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        access_key = str(claims.get("iss", ""))
        secret = secrets.get(access_key)
        if secret is None:
            return TokenFault.MALFORMED
        jwt.decode(token, secret, algorithms=["HS256"], options={"require": ["exp", "iss"]})
    except jwt.ExpiredSignatureError:
        return TokenFault.EXPIRED
    except jwt.ImmatureSignatureError:
        return TokenFault.EARLY
    except jwt.InvalidSignatureError:
        return TokenFault.FORGED
    except jwt.InvalidTokenError:
        return TokenFault.MALFORMED
    return access_key
