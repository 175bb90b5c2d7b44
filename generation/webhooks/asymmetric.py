"""Ed25519 signatures for receivers that want no shared secret: Standard Webhooks' `v1a`.

A deployment has one key pair. The public key is at `/.well-known/webhooks-keys.json`.
"""

import binascii
import hashlib
from base64 import b64decode, b64encode, urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
SEED_BYTES = 32


class SigningKey:
    """A private key: `whsk_` and base64 of the seed (32 bytes), or of seed and public key (64).

    Raises `ValueError`, without quoting the text, for anything else.
    """

    def __init__(self, text: str) -> None:
        try:
            raw = b64decode(text.removeprefix(PRIVATE_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if not text.startswith(PRIVATE_PREFIX) or len(raw) not in {SEED_BYTES, 2 * SEED_BYTES}:
            raise ValueError(
                f"a signing key is {PRIVATE_PREFIX} and base64 of 32 bytes:"
                " genq keys signing-key makes one"
            )
        self._key = Ed25519PrivateKey.from_private_bytes(raw[:SEED_BYTES])
        self._public = self._key.public_key().public_bytes_raw()
        if raw[SEED_BYTES:] not in {b"", self._public}:
            raise ValueError("the two halves of this signing key do not belong together")

    @property
    def public(self) -> str:
        """`whpk_` and base64."""
        return PUBLIC_PREFIX + b64encode(self._public).decode()

    @property
    def id(self) -> str:
        """16 hexadecimal digits, derived from the public key."""
        return hashlib.sha256(self._public).hexdigest()[:16]

    def sign(self, content: bytes) -> str:
        """Return `v1a,` and base64, for the `webhook-signature` header."""
        return "v1a," + b64encode(self._key.sign(content)).decode()

    def document(self) -> dict[str, str]:
        """Return the public key as a JSON Web Key (RFC 8037), and in Standard Webhooks' form."""
        return {
            "kid": self.id,
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "x": urlsafe_b64encode(self._public).decode().rstrip("="),
            "webhook_key": self.public,
        }


def new_signing_key() -> str:
    """Return a new private key as text."""
    return PRIVATE_PREFIX + b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
