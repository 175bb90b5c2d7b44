"""Key pairs: their text form, their public form, and their signatures."""

from base64 import b64decode, b64encode, urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from generation.webhooks.asymmetric import SigningKey, new_signing_key
from generation.webhooks.signature import new_secret, sign

#: RFC 8032, 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def of(raw: bytes) -> str:
    return "whsk_" + b64encode(raw).decode()


def test_published_vector() -> None:
    for text in (of(SEED), of(SEED + PUBLIC)):
        key = SigningKey(text)
        assert b64decode(key.public.removeprefix("whpk_")) == PUBLIC
        assert key.sign(b"\x72") == "v1a," + b64encode(SIGNATURE).decode()


def test_the_public_key_is_the_same_in_both_of_its_forms() -> None:
    document = SigningKey(of(SEED)).document()
    assert urlsafe_b64decode(document["x"] + "=") == PUBLIC
    assert (document["kty"], document["crv"]) == ("OKP", "Ed25519")
    assert of(SEED)[5:] not in str(document)


def test_key_pairs_sign_after_the_secrets() -> None:
    key = SigningKey(new_signing_key())
    header = sign([new_secret(), new_secret()], "evt_1", 7, b"{}", [key])
    *symmetric, asymmetric = header.split(" ")
    assert [each.partition(",")[0] for each in symmetric] == ["v1", "v1"]
    public = Ed25519PublicKey.from_public_bytes(b64decode(key.public.removeprefix("whpk_")))
    public.verify(b64decode(asymmetric.removeprefix("v1a,")), b"evt_1.7.{}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "genq keys signing-key"),
        (of(SEED[:31]), "32 bytes"),
        (of(SEED).replace("whsk_", "whsec_"), "whsk_"),
        ("whsk_!!!", "32 bytes"),
        (of(SEED + SEED), "do not belong together"),
    ],
)
def test_an_invalid_key_is_refused_without_being_quoted(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        SigningKey(text)
    assert len(text) < 10 or text[5:] not in str(refusal.value)
